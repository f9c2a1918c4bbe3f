"""Optimality gap of the decision a method ends up with.

    gap = (f(z) - f*) / max(|f*|, mean|c|)

f* is the proven optimum; on a benchmark file the best value known, where no proof is in reach. The
note of every row says which.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch

from diffcomb.metrics import relative_gap
from diffcomb.problems import GraphColoring, Problem
from diffcomb.protocol.setup.benchmark_files import best_known_colors
from diffcomb.protocol.setup.cells import Cell
from diffcomb.protocol.setup.methods import method_of
from diffcomb.protocol.setup.settings import ProtocolConfig
from diffcomb.protocol.setup.store import Row
from diffcomb.protocol.setup.trials import Trial, optimum, trial_of


def measure_gap(cell: Cell, settings: ProtocolConfig) -> list[Row]:
    """gap, feasible (0 or 1), seconds (CPU), and for oracles proven (0 or 1), on the true costs."""
    on_file = not cell.size.isdigit()
    trial = trial_of(cell.problem, cell.size, cell.trial, settings.seed, settings.data_folder)
    limit = settings.time_limit if on_file else None
    oracle = cell.method.removeprefix("oracle=") if cell.method.startswith("oracle=") else None
    decide = method_of(cell.method, settings, cell.size, cell.trial).deployed if oracle is None else None
    reference, note = _reference(trial, limit)

    if oracle is not None and not on_file:
        trial.problem.solve(trial.theta, oracle, num_workers=1)  # what is compiled or imported on first use
    start = time.process_time()
    if oracle is not None:
        result = trial.problem.solve(trial.costs, oracle, limit, num_workers=1)
        decision = result.decision
    else:
        assert decide is not None
        with torch.no_grad():
            decision = decide(trial.costs[None])[0]
    seconds = time.process_time() - start

    value = float(trial.problem.objective(decision, trial.costs))
    rows: list[Row] = [
        {"quantity": "gap", "value": relative_gap(value, reference, trial.costs), "note": note},
        {"quantity": "feasible", "value": float(_feasible(trial.problem, decision, trial))},
        {"quantity": "seconds", "value": seconds},
    ]
    if oracle is not None:
        rows.append({"quantity": "proven", "value": float(result.is_optimal), "note": str(result.status)})
        if on_file and isinstance(trial.problem, GraphColoring) and oracle == trial.problem.default_oracle:
            rows += _fewest_colors(trial.problem, cell.size, settings)
    return rows


def _reference(trial: Trial, limit: float | None) -> tuple[float, str]:
    if trial.best_known is not None:
        return trial.best_known, "best known value"
    found = optimum(trial, "costs", limit)
    return float(found.value), "proven optimum" if found.is_optimal else "best found, not proven"


def _feasible(problem: Problem, decision: torch.Tensor, trial: Trial) -> bool:
    if not problem.is_binary:  # start times are feasible for the durations they were made for
        return bool(problem.is_feasible(decision, trial.costs))  # type: ignore[call-arg]
    return bool(problem.is_feasible(decision))


def _fewest_colors(problem: GraphColoring, name: str, settings: ProtocolConfig) -> list[Row]:
    known = best_known_colors(name, str(Path(settings.data_folder)))
    result = problem.chromatic_number(settings.time_limit)
    if known is None:
        return []
    gap = (float(result.value) - known) / known
    note = f"{int(result.value)} colours, best known {int(known)}, {result.status}"
    return [{"quantity": "gap of fewest colours", "value": gap, "note": note}]
