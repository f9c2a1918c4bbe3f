"""Ctrl-C ends a solve on whatever thread it runs.

Python raises KeyboardInterrupt on the main thread alone, and only between two of its own instructions.
Searches therefore return to Python several times a second and call `check_interrupt` there; CP-SAT, which
does not return, is run by `run_cp_sat`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: seconds that a join waits at once: some systems hear a signal only between two joins
_WAIT = 0.2


class Interruption:
    """What the threads of one solve share; `end` ends them all."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._solvers: set[Any] = set()
        self._lock = threading.Lock()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Inside, `check_interrupt` and `run_cp_sat` of this thread obey `end`."""
        outer, _heard.interruption = _heard.interruption, self
        try:
            yield
        finally:
            _heard.interruption = outer

    def end(self) -> None:
        self._ended.set()
        with self._lock:
            for solver in self._solvers:
                solver.stop_search()

    def check(self) -> None:
        if self._ended.is_set():
            raise KeyboardInterrupt

    @contextmanager
    def stops(self, solver: Any) -> Iterator[None]:
        """Inside, `end` also stops the search of a CP-SAT solver."""
        with self._lock:
            self._solvers.add(solver)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._solvers.discard(solver)


class _Heard(threading.local):
    interruption: Interruption | None = None


_heard = _Heard()


def check_interrupt() -> None:
    """Raises KeyboardInterrupt on a worker thread whose solve was ended; the main thread has Python's own."""
    if _heard.interruption is not None:
        _heard.interruption.check()


def run_cp_sat(solver: Any, model: Any) -> tuple[Any, float]:
    """solver.solve(model) that Ctrl-C ends within a fraction of a second, raising KeyboardInterrupt.

    CP-SAT's own handler would swallow the signal and let the caller go on.

    Returns:
        status, CPU seconds of the search (not counted by time.thread_time of the main thread).
    """
    solver.parameters.catch_sigint_signal = False
    interruption = _heard.interruption
    if threading.current_thread() is not threading.main_thread():
        if interruption is None:
            return _timed(solver, model)
        with interruption.stops(solver):
            answer = _timed(solver, model)
        interruption.check()
        return answer
    answers: list[tuple[Any, float]] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            answers.append(_timed(solver, model))
        except BaseException as error:  # passed on below
            errors.append(error)

    thread = threading.Thread(target=work, name="diffcomb-cp-sat", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_WAIT)
    except BaseException:
        while thread.is_alive():  # a stop before the search has begun is not heard
            solver.stop_search()
            thread.join(0.01)
        raise
    if errors:
        raise errors[0]
    return answers[0]


def _timed(solver: Any, model: Any) -> tuple[Any, float]:
    begun = time.thread_time()
    status = solver.solve(model)
    return status, time.thread_time() - begun
