"""What a gradient costs: CPU time of forward and backward over that of one exact discrete solve."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from diffcomb.protocol.setup.cells import Cell
from diffcomb.protocol.setup.methods import method_of
from diffcomb.protocol.setup.settings import ProtocolConfig
from diffcomb.protocol.setup.store import Row
from diffcomb.protocol.setup.trials import seeded, trial_of


def measure_overhead(cell: Cell, settings: ProtocolConfig) -> list[Row]:
    """gradient_ms and solve_ms per instance (medians over repeats), overhead = their ratio.

    Timed alternately on one batch of predicted costs, one thread, after a call that is not timed.
    """
    what = settings.overhead
    trial = trial_of(cell.problem, cell.size, cell.trial, settings.seed, settings.data_folder)
    method = method_of(cell.method, settings, cell.size, cell.trial)
    generator = seeded("overhead", cell.size, cell.trial)
    costs = trial.problem.random_costs(what.batch, generator=generator)
    theta = costs * torch.exp(0.3 * torch.randn(costs.shape, generator=generator, dtype=torch.float64))
    decisions = trial.problem.solve(costs, num_workers=1).decision

    def gradient() -> object:
        return method.gradient(theta, costs, decisions)

    def solve() -> object:
        return trial.problem.solve(theta, num_workers=1)

    gradient(), solve()
    pairs = [(_cpu_ms(gradient), _cpu_ms(solve)) for _ in range(what.repeats)]
    ours, theirs = (statistics.median(times) / what.batch for times in zip(*pairs, strict=True))
    ratio = statistics.median(a / max(b, 1e-6) for a, b in pairs)
    note = f"batch {what.batch}, oracle {trial.problem.default_oracle}"
    return [
        {"quantity": "gradient_ms", "value": ours, "note": note},
        {"quantity": "solve_ms", "value": theirs, "note": note},
        {"quantity": "overhead", "value": ratio, "note": note},
    ]


def _cpu_ms(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return 1e3 * (time.process_time() - start)
