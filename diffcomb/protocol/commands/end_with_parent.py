"""A process that ends when the one that started it does, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

#: of Linux's prctl: the signal a process gets when its parent ends
_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """End this process at once when process `parent`, which started it, is gone.

    Killed or terminated, a parent tells nobody: its workers would compute to the end. On Linux the kernel
    sends SIGKILL; elsewhere, and where it refuses, a thread looks every second.

    Args:
        parent: os.getpid() of the one that started this process, as it said itself.
    """
    asked = sys.platform.startswith("linux") and _ask_kernel()
    if os.getppid() != parent:  # gone before the kernel was asked
        os._exit(1)
    if not asked:
        threading.Thread(target=_watch, args=(parent,), daemon=True, name="parent-watch").start()


def _ask_kernel() -> bool:
    try:
        return ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0
    except (OSError, AttributeError):  # another C library
        return False


def _watch(parent: int, seconds: float = 1.0) -> None:
    while os.getppid() == parent:
        time.sleep(seconds)
    os._exit(1)
