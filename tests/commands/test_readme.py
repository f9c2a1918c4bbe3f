"""Every code block of the README runs."""

import re
import shlex
import subprocess
import sys

import pytest

from tests.commands.composing import ROOT

BLOCKS = re.findall(r"```(bash|python)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [
    line
    for language, code in BLOCKS
    if language == "bash"
    for line in code.splitlines()
    # the two installing lines are what CI runs
    if line.strip() and "pip install" not in line
]


@pytest.mark.parametrize("code", PYTHON)
def test_python_block_runs(code, capsys):
    """The library example prints a feasible, proven decision with a small KKT residual."""
    exec(compile(code, "README.md", "exec"), {})
    shown = capsys.readouterr().out
    assert "tensor(True) optimal tensor(True)" in shown


@pytest.mark.parametrize("line", SHELL)
def test_shell_line_runs(line, tmp_path):
    """Each command line of the README exits with 0."""
    arguments = [sys.executable if word == "python" else word for word in shlex.split(line)]
    if "train.py" in line and "--help" not in line:
        arguments += [f"hydra.run.dir={tmp_path}/run", f"hydra.sweep.dir={tmp_path}/sweep"]
        arguments += [f"datamodule.cache_dir={tmp_path}/cache"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr


def test_the_first_screen_has_the_two_commands():
    """A newcomer finds both commands within the first fifteen lines."""
    top = "\n".join((ROOT / "README.md").read_text().splitlines()[:15])
    assert "pip install -c constraints.txt -e . && python train.py problem=tsp solver=kkt" in top
    assert 'pip install -c constraints.txt -e ".[dev]" && pytest' in top
