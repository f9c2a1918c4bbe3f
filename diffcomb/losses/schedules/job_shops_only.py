"""Losses of start times need start times."""

from __future__ import annotations

from typing import Any

from diffcomb.errors import UnsupportedError
from diffcomb.problems import JobShop, Problem


def job_shop_of(problem: Any, loss: object) -> JobShop:
    """The problem, if it is a job shop; several are looked at one by one.

    Raises:
        UnsupportedError: another problem.
    """
    if isinstance(problem, Problem) and not isinstance(problem, JobShop):
        raise UnsupportedError(
            f"{type(loss).__name__} needs a layer over a JobShop, not over {type(problem).__name__}."
        )
    return problem
