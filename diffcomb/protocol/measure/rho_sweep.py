"""The sweep over rho: where the relaxed decision is the exact one, and where it teaches something.

Theorem: x_rho = z* exactly when rho <= rho_bar; there the Jacobian is zero. x of every row is
rho / rho_bar(theta); in the other orientation, weight rho' = 1/rho on the cost, rho'/rho_min is its
reciprocal. Beside it the concave penalty of the same weight, from the optimum of the linear relaxation.
"""

from __future__ import annotations

import torch

from diffcomb.errors import UnsupportedError
from diffcomb.layers import concave_penalty, exactness_threshold, projector_of
from diffcomb.layers.threshold import Threshold
from diffcomb.metrics import relative_gap
from diffcomb.protocol.setup.cells import Cell
from diffcomb.protocol.setup.settings import ProtocolConfig
from diffcomb.protocol.setup.store import Row
from diffcomb.protocol.setup.trials import Trial, optimum, seeded, trial_of

#: vertices: over conv(Z), where the theorem holds; kkt: over the rows known (an outer relaxation perhaps)
SOLVERS = ("vertices", "kkt", "concave")
#: of "vertices": oracle calls grow with rho
_MOST = 100.0


def measure_rho_sweep(cell: Cell, settings: ProtocolConfig) -> list[Row]:
    """Per ratio: exact (x = z*), gap of theta'x, gradient_norm |Pi g| / rho of a unit g, informative."""
    trial = trial_of(cell.problem, cell.size, cell.trial, settings.seed, settings.data_folder)
    if not trial.problem.is_binary:
        raise UnsupportedError("Start times have no relaxed decision, so there is no rho.")
    found = exactness_threshold(trial.problem, trial.theta[None], return_calls=True)
    assert isinstance(found, Threshold)
    rho_bar = float(found.rho_bar)
    rows: list[Row] = [
        {"quantity": "rho_bar", "value": rho_bar / float(trial.theta.abs().mean()), "note": "of mean|theta|"},
        {"quantity": "oracle_calls", "value": float(found.oracle_calls), "note": "of the threshold"},
    ]
    if cell.method == "concave":
        return rows + [row for ratio in settings.ratios for row in _concave(trial, ratio, rho_bar)]
    hull = trial.problem.polytope().integral or cell.method == "vertices"
    solver = projector_of(trial.problem, cell.method)
    z = optimum(trial, "theta").decision
    value = float(trial.problem.objective(z, trial.theta))
    g = torch.randn(1, len(z), generator=seeded("rho sweep", len(z)), dtype=torch.float64)
    g /= torch.linalg.vector_norm(g)
    for ratio in settings.ratios:
        if cell.method == "vertices" and ratio > _MOST:
            continue
        relaxed = solver.relax(trial.theta[None], torch.tensor([ratio * rho_bar], dtype=torch.float64))
        gap = relative_gap(float(trial.problem.objective(relaxed.x[0], trial.theta)), value, trial.theta)
        note = "conv(Z)" if hull else "outer relaxation"
        rows += [
            _row("exact", ratio, float((relaxed.x[0] - z).abs().max() <= 1e-9), note),
            _row("relaxed_gap", ratio, gap, note),
            _row("gradient_norm", ratio, float(torch.linalg.vector_norm(relaxed.adjoint(g))) * rho_bar, note),
            _row("informative", ratio, float(relaxed.face_dimension[0] > 0), note),
        ]
    return rows


def _concave(trial: Trial, ratio: float, rho_bar: float) -> list[Row]:
    found = concave_penalty(trial.problem, trial.theta, [ratio * rho_bar])
    note = "convex-concave procedure, nonconvex"
    value = float(optimum(trial, "theta").value)
    gap = relative_gap(float(trial.problem.objective(found.decision, trial.theta)), value, trial.theta)
    return [
        _row("exact", ratio, float(found.exact), note),
        _row("binary", ratio, float(found.binary), note),
        _row("relaxed_gap", ratio, gap, note),
        # it ends at a vertex of X, where nothing moves
        _row("gradient_norm", ratio, 0.0, note),
    ]


def _row(quantity: str, x: float, value: float, note: str) -> Row:
    return {"quantity": quantity, "x": x, "value": value, "note": note}
