"""Which engine decides which problem."""

from __future__ import annotations

from diffcomb.layers.engine import BinaryEngine, Engine
from diffcomb.layers.schedule_engine import ScheduleEngine
from diffcomb.oracles import Limits
from diffcomb.problems import JobShop, Problem


def make_engine(
    problem: Problem,
    solver: str,
    decision: str,
    oracle: Limits,
    backward: str,
    certify: str,
    lazy_rows: bool,
) -> Engine:
    """Start times for job shops, 0-1 decisions for everything else."""
    if isinstance(problem, JobShop):
        return ScheduleEngine(problem, decision, oracle)
    return BinaryEngine(problem, solver, decision, oracle, backward, certify, lazy_rows)
