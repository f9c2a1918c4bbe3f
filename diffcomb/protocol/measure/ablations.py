"""What each part of the method is good for: the same instance with one part replaced.

All variants answer the same question, the gradient of g'x_rho(theta) at rho = mean|theta|, and are
compared with finite differences of x_rho.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.layers import exactness_threshold, projector_of
from diffcomb.metrics import gradient_cosine, relative_gap
from diffcomb.oracles.linear_program import LinearProgram
from diffcomb.projection import unconstrained_adjoint
from diffcomb.projection.references.face import face_projector_basis
from diffcomb.projection.references.piqp import PIQPProjector
from diffcomb.protocol.setup.cells import Cell
from diffcomb.protocol.setup.settings import ProtocolConfig
from diffcomb.protocol.setup.store import Row
from diffcomb.protocol.setup.trials import Trial, optimum, trial_of

#: of a solver's own, before any polish: what is closer to a bound or row counts as active
_ACTIVE = 1e-6
#: accuracy an interior-point method is usually stopped at
_LOOSE = 1e-6


def measure_ablation(cell: Cell, settings: ProtocolConfig) -> list[Row]:
    """cosine with finite differences, gap of theta'x, error of x, relative gradient norm, milliseconds."""
    trial = trial_of(cell.problem, cell.size, cell.trial, settings.seed, settings.data_folder)
    if not trial.problem.is_binary:
        raise UnsupportedError("Start times are differentiated exactly; there is no part to take away.")
    return VARIANTS[cell.method](_Question(trial))


class _Question:
    """theta, rho = mean|theta|, g = the true costs, and the answer by finite differences."""

    def __init__(self, trial: Trial) -> None:
        self.trial, self.problem = trial, trial.problem
        self.theta, self.g = trial.theta[None], trial.costs[None]
        self.rho = self.theta.abs().mean(-1)
        self.solver = projector_of(self.problem, "kkt")
        self.relaxed = self.solver.relax(self.theta, self.rho)
        self.optimal = float(self.problem.objective(optimum(trial, "theta").decision, trial.theta))

    def differences(self) -> Tensor:
        """d g'x_rho / d theta by central differences, all 2n relaxed decisions in one batch."""
        n = self.theta.shape[1]
        step = 1e-6 * self.rho[:, None] * torch.eye(n, dtype=torch.float64)
        x = self.solver.relax(torch.cat([self.theta + step, self.theta - step]), self.rho.repeat(2 * n)).x
        slope = ((x[:n] - x[n:]) @ self.g[0]) / (2e-6 * self.rho)
        # rounding of a constant
        return torch.where(slope.abs() > 1e-8 * self.g.abs().sum() / self.rho, slope, 0.0)[None]

    def rows(self, x: Tensor, gradient: Tensor, milliseconds: float, note: str) -> list[Row]:
        reference = self.differences()
        value = float(self.problem.objective(x[0], self.theta[0]))
        measured = {
            "cosine": float(gradient_cosine(gradient, reference)[0]),
            "gap": relative_gap(value, self.optimal, self.theta[0]),
            "error_of_x": float((x - self.relaxed.x).abs().max()),
            "relative_norm": _ratio(gradient, reference),
            "milliseconds": milliseconds,
        }
        return [{"quantity": q, "value": v, "note": note} for q, v in measured.items()]


def _ratio(gradient: Tensor, reference: Tensor) -> float:
    """Norm relative to the reference's; NaN where that is zero."""
    norm = float(torch.linalg.vector_norm(reference))
    return float(torch.linalg.vector_norm(gradient)) / norm if norm > 0 else float("nan")


def _milliseconds(call: Callable[[], object], repeats: int = 3) -> float:
    call()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(1e3 * (time.process_time() - start))
    return float(np.median(times))


def _full(q: _Question) -> list[Row]:
    cost = _milliseconds(lambda: q.solver.relax(q.theta, q.rho).adjoint(q.g))
    return q.rows(q.relaxed.x, q.relaxed.adjoint(q.g), cost, "nothing taken away")


def _finite_differences(q: _Question) -> list[Row]:
    cost = _milliseconds(q.differences, repeats=1)
    return q.rows(q.relaxed.x, q.differences(), cost, "2n relaxed solves instead of the adjoint")


def _no_penalty(q: _Question) -> list[Row]:
    program = LinearProgram(q.problem.polytope())
    cost = q.theta[0].numpy()
    x = torch.from_numpy(program.minimize(cost))[None]
    spent = _milliseconds(lambda: program.minimize(cost))
    return q.rows(x, torch.zeros_like(q.g), spent, "the linear program: a vertex, gradient zero")


def _no_constraints(q: _Question) -> list[Row]:
    cost = _milliseconds(lambda: unconstrained_adjoint(q.g, q.rho))
    gradient = unconstrained_adjoint(q.g, q.rho)
    return q.rows(q.relaxed.x, gradient, cost, "active constraints dropped: -g/rho; backward only")


def _no_polish(q: _Question) -> list[Row]:
    """A general interior-point method as it stops, the face read off by distance."""
    polytope = q.problem.polytope().without_lazy_rows()
    reference = projector_of(q.problem, "kkt", lazy_rows=False).relax(q.theta, q.rho)
    solver = PIQPProjector(polytope, accuracy=_LOOSE)
    target = (0.5 - q.theta / q.rho[:, None])[0].numpy()

    def answer() -> tuple[np.ndarray, np.ndarray]:
        x = solver.minimize(polytope, target).x
        free = (x > _ACTIVE) & (x < 1 - _ACTIVE)
        tight = polytope.h - polytope.G @ x < _ACTIVE
        rows = np.vstack([polytope.A.toarray(), polytope.G[np.flatnonzero(tight)].toarray()])
        basis = face_projector_basis(rows, free)
        return x, basis @ (basis.T @ q.g[0].numpy())

    x, pulled = answer()
    exact = reference.adjoint(q.g)
    gradient = -torch.from_numpy(pulled)[None] / q.rho
    note = f"PIQP stopped at {_LOOSE:.0e}, face read off at {_ACTIVE:.0e}, rows known from the start"
    rows = q.rows(torch.from_numpy(x)[None], gradient, _milliseconds(answer), note)
    replaced = {
        "cosine": float(gradient_cosine(gradient, exact)[0]),
        "error_of_x": float((torch.from_numpy(x) - reference.x[0]).abs().max()),
        "relative_norm": _ratio(gradient, exact),
    }
    # without lazy rows it is another x_rho: compared with the polished answer of that one
    return [{**row, "value": replaced.get(row["quantity"], row["value"])} for row in rows]


def _cold_start(q: _Question) -> list[Row]:
    def cold() -> Tensor:
        return projector_of(q.problem, "kkt").relax(q.theta, q.rho).adjoint(q.g)

    note = "solver, row pool and elimination order built anew for every call"
    return q.rows(q.relaxed.x, cold(), _milliseconds(cold), note)


def _vertices(q: _Question) -> list[Row]:
    solver = projector_of(q.problem, "vertices")
    found = solver.relax(q.theta, q.rho)
    cost = _milliseconds(lambda: solver.relax(q.theta, q.rho).adjoint(q.g), repeats=1)
    rows = q.rows(found.x, found.adjoint(q.g), cost, "active set over conv(Z), oracle only")
    return [*rows, {"quantity": "oracle_calls", "value": float(found.iterations[0])}]


def _threshold(q: _Question) -> list[Row]:
    """rho from the threshold, 2 rho_bar, where the full method takes mean|theta| and never asks for it."""

    def answer() -> tuple[Tensor, Tensor]:
        rho_bar = exactness_threshold(q.problem, q.theta)
        assert isinstance(rho_bar, Tensor)
        relaxed = q.solver.relax(q.theta, (2 * rho_bar).clamp(1e-6 * q.rho, q.rho * 1e6))
        return relaxed.x, relaxed.adjoint(q.g)

    x, gradient = answer()
    note = "rho = 2 rho_bar from the threshold; all other rows have it off"
    return q.rows(x, gradient, _milliseconds(answer, repeats=1), note)


VARIANTS: dict[str, Callable[[_Question], list[Row]]] = {
    "full": _full,
    "finite differences": _finite_differences,
    "no penalty": _no_penalty,
    "no constraints": _no_constraints,
    "no polish": _no_polish,
    "cold start": _cold_start,
    "vertices": _vertices,
    "threshold on": _threshold,
}
