"""A worker ends with the process that started it, however that one ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

from diffcomb.protocol.commands import end_with_parent as module
from tests.protocol.processes import runs

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")

#: starts itself once more as a worker that would wait for ever; the file alone is read, not the package
SCRIPT = f"""
import importlib.util, os, signal, subprocess, sys
spec = importlib.util.spec_from_file_location("module", {module.__file__!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
if sys.argv[1] == "worker":
    if sys.argv[3] == "watch":
        module._ask_kernel = lambda: False
    module.end_with_parent(int(sys.argv[2]))
    print(os.getpid(), flush=True)
    signal.pause()
worker = subprocess.Popen([sys.executable, __file__, "worker", str(os.getpid()), sys.argv[2]])
worker.wait()
"""


@pytest.mark.parametrize("way", ["kernel", "watch"])
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_ends_with_its_parent(ending, way, tmp_path):
    """Killed or terminated, seen by the kernel or by the thread that looks where there is no such call."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    parent = subprocess.Popen([sys.executable, str(script), "parent", way], stdout=subprocess.PIPE, text=True)
    worker = int(parent.stdout.readline())
    assert runs(worker)
    os.kill(parent.pid, ending)
    parent.wait()
    while runs(worker):  # one that goes on hangs this test
        time.sleep(0.005)
    parent.stdout.close()
