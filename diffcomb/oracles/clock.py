"""When a search has to end: its time is over, or nobody waits for its answer any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from diffcomb.oracles.limits import Limits

_watched = threading.local()


class CalledOff(BaseException):
    """Ends a worker's search once its batch has failed or was interrupted; never reaches a user."""


class Clock:
    """Seconds of one solve, counted from here.

    Every search asks it at least twice a second, between calls of compiled code: these return to Python
    after a bounded amount of work, so that Ctrl-C is noticed too.

    Args:
        seconds: wall-clock seconds; None = no end.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._start = perf_counter()
        self.deadline = float("inf") if seconds is None else self._start + seconds
        self._called_off: threading.Event | None = getattr(_watched, "called_off", None)

    @staticmethod
    def of(limits: Limits) -> Clock:
        """The clock of one instance under these limits."""
        return Clock(limits.time_limit)

    @property
    def spent(self) -> float:
        """Seconds since it was started."""
        return perf_counter() - self._start

    @property
    def left(self) -> float:
        """Seconds left, inf without an end; negative once time is up."""
        return self.deadline - perf_counter()

    def is_up(self) -> bool:
        """Whether time is over.

        Raises:
            CalledOff: in a worker whose batch was called off.
        """
        if self._called_off is not None and self._called_off.is_set():
            raise CalledOff
        return self.left <= 0.0

    def part(self, share: float) -> Clock:
        """A clock that is up after this share of the time left."""
        inner = Clock()
        inner.deadline = perf_counter() + share * self.left
        return inner


@contextmanager
def called_off_by(event: threading.Event) -> Iterator[None]:
    """Clocks made by this thread in here obey the event."""
    _watched.called_off = event
    try:
        yield
    finally:
        del _watched.called_off
