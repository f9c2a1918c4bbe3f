"""Ctrl-C, time limits, and searches that run outside Python.

Python hands a signal to the main thread between two of its own instructions, so a solver that the main
thread waits in hears nothing until it ends. Here the main thread only waits; the solver runs beside it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")

#: seconds between two looks of the waiting thread, for systems whose locks no signal wakes
_PATIENCE = 0.1


class Interrupted(Exception):
    """Ends the work of a batch whose caller was interrupted; never leaves `run_interruptibly`."""


class Watch:
    """The clock of one instance, and whether its batch was interrupted.

    Args:
        seconds: time limit from now; None: none.
        batch: of the batch the instance belongs to; None: one of its own.
    """

    def __init__(self, seconds: float | None, batch: RunningSolvers | None = None) -> None:
        self.deadline = None if seconds is None else time.perf_counter() + seconds
        self._batch = batch or RunningSolvers()

    @property
    def is_over(self) -> bool:
        """Whether the time limit has passed.

        Raises:
            Interrupted: the batch was.
        """
        self._batch.check()
        return self.deadline is not None and time.perf_counter() >= self.deadline

    @property
    def left(self) -> float | None:
        """Seconds left, at least a millisecond; None: no limit."""
        self._batch.check()
        return None if self.deadline is None else max(self.deadline - time.perf_counter(), 1e-3)

    def interrupted(self) -> Interrupted:
        """To raise where a solver has caught Ctrl-C itself: ends the others of the batch, too."""
        self._batch.stop()
        return Interrupted()

    @contextmanager
    def running(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """While a solver runs that `interrupt`, called from another thread, ends soon.

        Raises:
            Interrupted: it was called.
        """
        with self._batch.running(interrupt):
            yield
        self._batch.check()


class RunningSolvers:
    """The solvers that a batch has running at this moment."""

    def __init__(self) -> None:
        self._interrupts: dict[int, Callable[[], None]] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def check(self) -> None:
        if self._stopped:
            raise Interrupted

    @contextmanager
    def running(self, interrupt: Callable[[], None]) -> Iterator[None]:
        key = threading.get_ident()
        with self._lock:
            self._interrupts[key] = interrupt
        try:
            self.check()
            yield
        finally:
            with self._lock:
                del self._interrupts[key]

    def stop(self) -> None:
        """Interrupt all of them; those that begin later find out themselves."""
        self._stopped = True
        with self._lock:
            for interrupt in self._interrupts.values():
                interrupt()


def _new_helpers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(8, thread_name_prefix="diffcomb-solve")


_helpers = _new_helpers()


def _renew() -> None:
    global _helpers
    _helpers = _new_helpers()


# threads do not survive a fork
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def run_interruptibly(work: Callable[[RunningSolvers], Result]) -> Result:
    """work(running solvers), beside the main thread if that is the caller, so that Ctrl-C ends it.

    Raises:
        KeyboardInterrupt: it did.
    """
    running = RunningSolvers()
    try:
        if threading.current_thread() is not threading.main_thread():
            return work(running)
        return _wait_for(_helpers.submit(work, running), running)
    except Interrupted:
        raise KeyboardInterrupt from None


def _wait_for(future: Future[Result], running: RunningSolvers) -> Result:
    try:
        while True:
            try:
                return future.result(timeout=_PATIENCE)
            except TimeoutError:
                if future.done():
                    raise
    except KeyboardInterrupt:
        # a solver that was just about to start may miss the first call
        while not future.done():
            running.stop()
            wait([future], timeout=_PATIENCE)
        raise
    finally:
        # Gurobi and CPLEX catch Ctrl-C while they run and, used from several threads, keep it
        handler = signal.getsignal(signal.SIGINT)
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
