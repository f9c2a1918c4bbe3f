"""A projector of any bounded program: unit box inside, the engine that `route` says, built on first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.program import Program, UnitBox
from diffcomb.projection.column_generation import ColumnProjector
from diffcomb.projection.compiled import CompiledProjector
from diffcomb.projection.dense.projector import DenseProjector
from diffcomb.projection.own_rhs import with_own_rhs
from diffcomb.projection.projector import Projection, Projector
from diffcomb.projection.references.clarabel import ClarabelProjector
from diffcomb.projection.references.cvxopt import CVXOPTProjector
from diffcomb.projection.references.cvxpylayers import CvxpylayersProjector
from diffcomb.projection.references.piqp import PIQPProjector
from diffcomb.projection.relaxed import RelaxedDecision, relaxed_decision
from diffcomb.projection.route import Facts, Route, check_solver, route
from diffcomb.projection.vertices import VerticesProjector

_REFERENCES: dict[Route, Callable[[Program], Projector]] = {
    Route.PIQP: PIQPProjector,
    Route.CLARABEL: ClarabelProjector,
    Route.CVXOPT: CVXOPTProjector,
    Route.CVXPYLAYERS: CvxpylayersProjector,
}


class RoutedProjector:
    """Projections on X in its own coordinates, by the engine that fits the batch.

    Args:
        program: X; None where the problem is known by its oracle alone.
        solver: see `route`.
        box: of Z, where there is no program.
        decide: costs (batch, n) -> members of Z, exactly: what "vertices" asks.
        candidates: costs (n,) -> columns that a solution is likely to use, or None.
        has_own_oracle: see `Facts`.
        backward: "cholesky" or "cg". lazy_rows: False leaves out rows that would have to be separated.

    Raises:
        UnknownNameError, UnsupportedError: as `check_solver`. MissingBackendError: a reference that is not
        installed. InfeasibleError: X is empty.
    """

    def __init__(
        self,
        program: Program | None,
        solver: str = "kkt",
        *,
        box: UnitBox | None = None,
        decide: Callable[[Tensor], Tensor] | None = None,
        candidates: Callable[[np.ndarray], np.ndarray] | None = None,
        has_own_oracle: bool = False,
        backward: str = "cholesky",
        lazy_rows: bool = True,
    ) -> None:
        check_solver(solver, backward, lazy_rows=lazy_rows)
        self.name, self.backward, self.lazy_rows = solver, backward, lazy_rows
        if program is not None and not lazy_rows:
            program = program.without_lazy_rows()
        self.program = program
        self.box = UnitBox.of(program) if program is not None else box or UnitBox.unit(0)
        self._decide, self._candidates = decide, candidates
        self._unit = None if program is None else self.box.program(program)
        self.facts = Facts(
            num_vars=len(self.box.lower),
            num_rows=0 if program is None else len(program.b) + len(program.h),
            has_rows=program is not None,
            is_hull=program is not None and program.integral,
            names_columns=candidates is not None,
            has_own_oracle=has_own_oracle,
        )
        self._built: dict[Route, Projector] = {}
        if program is None and solver not in ("kkt", "auto", "vertices"):
            raise UnsupportedError(
                f"Solver {solver!r} needs rows, which this problem has not; use 'vertices'."
            )
        # what cannot be built shows now, not in the first epoch
        self.engine(self.route(torch.zeros(1, self.facts.num_vars, dtype=torch.float64)))

    def route(self, target: Tensor) -> Route:
        """Which engine takes a batch of targets (batch, n)."""
        reach = 0.0
        if self.name == "auto" and len(target):
            y = self._coordinates(target.detach())
            reach = float((y - 0.5).abs().mean(-1).min())
        return route(
            self.name,
            self.facts,
            backward=self.backward,
            lazy_rows=self.lazy_rows,
            device=target.device,
            reach=reach,
        )

    def engine(self, chosen: Route) -> Projector:
        """The projector of a route, built once."""
        if chosen not in self._built:
            self._built[chosen] = self._build(chosen)
        return self._built[chosen]

    def _build(self, chosen: Route) -> Projector:
        if chosen is Route.VERTICES:
            assert self._decide is not None
            return VerticesProjector(self._decide, self.box)
        assert self._unit is not None
        return self._made(chosen, self._unit)

    def _made(self, chosen: Route, program: Program) -> Projector:
        """The engine of a route for a program in the unit box."""
        if chosen in _REFERENCES:
            return _REFERENCES[chosen](program)
        if chosen is Route.TORCH:
            return DenseProjector(program)
        if chosen is Route.COLUMNS:
            return ColumnProjector(program, self._unit_candidates)
        return CompiledProjector(program, backward=self.backward)

    def _unit_candidates(self, costs: np.ndarray) -> np.ndarray:
        assert self._candidates is not None
        return self._candidates(costs if self.box.is_identity else costs * self.box.inverse_width)

    def project(
        self, target: Tensor, start: Tensor | None = None, rhs: np.ndarray | None = None
    ) -> Projection:
        """As `Projector.project`.

        Args:
            rhs: (batch, p + q) right-hand sides [b, h] of each instance's own; None: the program's.
        """
        chosen = self.route(target)
        engine = self.engine(chosen)
        if isinstance(engine, VerticesProjector):
            return engine.project(target, start)
        if self.box.is_identity:
            return self._inside(chosen, engine, target, rhs)
        assert self.program is not None
        if rhs is not None:
            rows = [self.program.A @ self.box.lower, self.program.G @ self.box.lower]
            rhs = rhs - np.concatenate(rows)
        found = self._inside(chosen, engine, self._coordinates(target), rhs)
        lower, width, inverse = self._on(target)
        return replace(
            found,
            x=lower + width * found.x,
            pull_back=lambda grad: found.pull_back(grad * width).mul_(inverse),
        )

    def _inside(self, chosen: Route, engine: Projector, target: Tensor, rhs: np.ndarray | None) -> Projection:
        if rhs is None:
            return engine.project(target)
        return with_own_rhs(engine, lambda program: self._made(chosen, program), target, rhs)

    def relax(self, theta: Tensor, rho: Tensor, **known: Any) -> RelaxedDecision:
        """x_rho(theta), theta (batch, n) and rho (batch,) float64; see `relaxed_decision`."""
        return relaxed_decision(self, theta, rho, **known)

    def _coordinates(self, target: Tensor) -> Tensor:
        if self.box.is_identity:
            return target
        lower, _, inverse = self._on(target)
        return (target - lower) * inverse

    def _on(self, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """lower, width and 1 / width on the device of `like`."""
        box = self.box
        return tuple(torch.from_numpy(v).to(like) for v in (box.lower, box.width, box.inverse_width))  # type: ignore[return-value]
