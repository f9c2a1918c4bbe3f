"""Any mixed-integer linear or convex quadratic program, from arrays or from any modelling language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import InvalidCostsError, UnsupportedError
from diffcomb.oracles import Limits, OracleAnswer, OuterApproximation
from diffcomb.problems.mixed_integer.from_models import FromModels
from diffcomb.problems.mixed_integer.predicted_rows import MixedRemainder, answer_each, row_share
from diffcomb.problems.problem import CostGraph, Problem, Remainder
from diffcomb.program import CostMap, Names, OpenProgram, PredictedModel, Program, Rows
from diffcomb.program.bounds import warn_of_signs
from diffcomb.program.contradiction import contradiction
from diffcomb.program.cuts import conflict_graph, separate_cuts
from diffcomb.program.quadratic import is_convex, quadratic_value


class MixedIntegerProgram(FromModels, Problem):
    """Best of (C p + c0)'x + x'Q x / 2 over A x = b, G x <= h, lower <= x <= upper, x_i whole for i in I.

    p is what a network predicts: the costs themselves where no `cost_map` is given. Program: the relaxation
    without integrality, in general an outer one, so x_rho approximates conv(Z) from outside; where its
    optimum is z* the layer certifies it.

    Models read by `from_cvxpy` may have p in their rows too. Then there is no one feasible set: ask
    `program_at(p)` or `at(p)`; `solve` decides each instance on its own rows.

    Args:
        A, b: equalities, dense or sparse (p, n) and (p,), or None.
        G, h: inequalities (q, n) and (q,), or None; a row with h = inf is no row.
        lower, upper: bounds, one number or (n,). An infinite one is replaced by what the rows imply; a
            variable that rows push one way only (an amount bought to cover a demand) is bounded by what
            they ask for, which is right for costs of the sign that has an optimum.
        integer: True, False or (n,) bool.
        sense: "min", or "max": costs are gains, `objective` is what is gained and `shortfall` what is missed.
        cost_map: C (n, P), where P predicted numbers drive the n costs, or a `CostMap`; None: the identity.
        known_costs: c0 (n,), costs that are not predicted.
        objective: Q (n, n), symmetric; positive semidefinite for "min", negative for "max".
        integral: set True only if the relaxation without integrality is known to be conv(Z) (a totally
            unimodular matrix, say); certificates rely on it.
        cuts: tighten the relaxation of a 0-1 program with cover and clique cuts, found by heuristics while
            x_rho is computed.
        names: of the variables; None: x0, x1, ...
        model: what a front end read, in place of all of the above but `integral` and `cuts`.

    Attributes:
        names: of the variables, (n,). predicted_names: of the predicted numbers, (P,).
        parameters: where p enters the rows; None: nowhere.

    Raises:
        InvalidInstanceError, InfeasibleError: naming the row or variable. UnsupportedError: an objective
            that is not convex, or a function; cuts of a program that is not 0-1.
    """

    def __init__(
        self,
        A: Any = None,
        b: Any = None,
        G: Any = None,
        h: Any = None,
        lower: Any = 0.0,
        upper: Any = 1.0,
        integer: Any = True,
        sense: str = "min",
        cost_map: Any = None,
        known_costs: Any = None,
        objective: Any = None,
        *,
        integral: bool = False,
        cuts: bool = False,
        names: Sequence[str] | None = None,
        model: PredictedModel | None = None,
    ) -> None:
        if model is None:
            rows = OpenProgram.of(A, b, G, h, lower, upper, integer, _signed(objective, sense), names)
            given = isinstance(cost_map, CostMap)
            costs = cost_map if given else CostMap.of(rows.num_vars, cost_map, known_costs, sense)
            model = PredictedModel(rows, costs, None, _predicted_names(costs, rows.names))
            plain = sense == "min" and cost_map is None and known_costs is None
        else:
            plain = model.cost_map.is_identity
        self._rows, self._signs = model.rows, model.signs
        self._integral = integral
        self.cost_map = None if plain else model.cost_map
        self.num_costs = model.cost_map.num_costs
        self.predicted_names = model.names
        self.parameters = model.parameters
        self.costs = (
            None if model.costs is None else torch.from_numpy(np.array(model.costs, dtype=np.float64))
        )
        if self.is_quadratic:
            self.oracles, self.default_oracle = (OuterApproximation(),), OuterApproximation.name
        quadratic_moves = self.parameters is not None and self.parameters.quadratic is not None
        if not quadratic_moves and self.is_quadratic and not is_convex(self._rows.quadratic):
            raise UnsupportedError(
                "The quadratic term is not convex: its matrix must be positive semidefinite to minimise,"
                " negative semidefinite to maximise."
            )
        self.set_moves = self.parameters is not None
        # now, so that a variable without bounds is refused where the model is written
        self.is_binary = not self.set_moves and self._known.is_binary
        if cuts and (not self.is_binary or self.is_quadratic):
            raise UnsupportedError("cuts=True needs a 0-1 program.")
        self._conflicts = conflict_graph(self._known.G, self._known.h) if cuts else None

    @classmethod
    def _of(cls, model: PredictedModel) -> Self:
        return cls(model=model)

    # -- the feasible set -----------------------------------------------------------------------
    @property
    def names(self) -> tuple[str, ...]:
        """(n,) names of the variables."""
        return self._rows.names.variables

    @property
    def is_quadratic(self) -> bool:
        """The objective has a term x'Q x / 2."""
        return self._rows.quadratic is not None

    @property
    def has_linear_oracle(self) -> bool:
        return self.parameters is None and not self.is_quadratic

    def by_name(self, z: Tensor) -> dict[str, Tensor]:
        """A decision z (..., n) by the user's names: name -> (..., *shape of that variable)."""
        return self._rows.names.by_name(z)

    @cached_property
    def _closed(self) -> tuple[Program, np.ndarray]:
        """The program with finite bounds, and (n,) at which sign of its cost a bound was assumed."""
        self._refuse_moving_rows()
        program, box = self._rows.close(self._cost_sign, integral=self._integral)
        return program, box.assumed

    @property
    def _known(self) -> Program:
        return self._closed[0]

    @cached_property
    def _cost_sign(self) -> np.ndarray:
        if self.cost_map is None:
            return np.full(self.num_vars, np.nan)
        driven = np.diff(self.cost_map.matrix.indptr) > 0
        return np.where(driven, np.nan, np.sign(self.cost_map.sign * self.cost_map.known))

    def _refuse_moving_rows(self) -> None:
        if self.parameters is not None:
            raise UnsupportedError(
                "The rows of this problem depend on what is predicted; ask program_at(p) or at(p) for those"
                " of one instance."
            )

    def program_at(self, p: Tensor) -> Program:
        """The program whose rows hold for p (P,)."""
        return self.polytope() if self.parameters is None else self.at(p).polytope()

    def at(self, p: Tensor) -> MixedIntegerProgram:
        """This problem with its rows fixed at p (P,); costs are still predicted."""
        if self.parameters is None:
            return self
        assert self.cost_map is not None
        fixed = PredictedModel(self.rows_at(p), self.cost_map, None, self.predicted_names, None, self._signs)
        return MixedIntegerProgram(model=fixed, integral=self._integral)

    def rows_at(self, p: Tensor) -> OpenProgram:
        """The rows as they were written, for p (P,): bounds may be infinite."""
        if self.parameters is None:
            return self._rows
        return self._rows.at(self.parameters.apply(self.check_costs(p).detach().double()))

    def is_feasible(self, z: Tensor, theta: Tensor | None = None) -> Tensor:
        """z (..., n) -> (...) bool; see `Membership` for tolerances.

        Args:
            theta: (..., P), needed where rows depend on it.
        """
        points = z.detach().reshape(-1, self.num_vars).double().cpu().numpy()
        precision = torch.finfo(z.dtype).eps if z.dtype.is_floating_point else 0.0
        if self.parameters is None or theta is None:
            member = self._known.contains(points, precision)
        else:
            given = theta.expand(*z.shape[:-1], self.num_costs).reshape(-1, self.num_costs)
            pairs = zip(given, points, strict=True)
            member = np.array([self.program_at(p).contains(x, precision) for p, x in pairs], dtype=bool)
        return torch.from_numpy(member).reshape(z.shape[:-1]).to(z.device)

    def polytope(self) -> Program:
        known = self._known
        if self._conflicts is None:
            return known
        return replace(known, separation=self._separate)

    def lazy_rows(self, z: np.ndarray) -> Rows:
        """The known rows decide which points are in Z."""
        return Rows.empty(self.num_vars)

    def _separate(self, x: np.ndarray) -> Rows:
        assert self._conflicts is not None
        return separate_cuts(self._known.G, self._known.h, self._conflicts, x)

    def why_infeasible(self, theta: Tensor | None = None) -> str:
        problem = self if theta is None else self.at(theta)
        return f"This program is infeasible: {contradiction(problem.polytope(), problem._rows.names)}."

    # -- costs ----------------------------------------------------------------------------------
    def check_costs(self, theta: Tensor) -> Tensor:
        """As `Problem.check_costs`; also the signs that a modelling language declares for parameters."""
        super().check_costs(theta)
        if self._signs is not None and self._signs.any():
            wrong = (theta * torch.from_numpy(self._signs).to(theta) < 0).nonzero()
            if len(wrong):
                place = tuple(wrong[0].tolist())
                raise InvalidCostsError(
                    f"{self.predicted_names[place[-1]]} is declared not to be"
                    f" {'negative' if self._signs[place[-1]] > 0 else 'positive'}; entry {list(place)} is"
                    f" {theta[place].item():g}."
                )
        return theta

    def objective(self, z: Tensor, theta: Tensor) -> Tensor:
        """(C p + c0)'z + z'Q z / 2 + constant, in the user's sense; (..., n), (..., P) -> (...)."""
        value, Q = super().objective(z, theta), self._rows.quadratic
        if Q is None:
            return value
        moves = None if self.parameters is None else self.parameters.quadratic
        return value + self.sign * quadratic_value(Q, z, None if moves is None else moves(theta))

    def value_gradient(self, z: Tensor, theta: Tensor) -> Tensor:
        """dV/dp at the optimal z: C'z + slope, plus the rows' share by the multipliers of the continuous
        remainder (integers held), where p enters rows or Q; exact wherever z and they are unique."""
        gradient = super().value_gradient(z, theta)
        if self.parameters is None:
            return gradient
        return gradient + self.sign * row_share(self, z, theta).to(gradient)

    def remainder(self, decision: Tensor, theta: Tensor) -> Remainder:
        """The derivative of the continuous part, integers held: where p enters rows, or the objective is
        quadratic; otherwise nothing moves.

        Raises:
            UnsupportedError: nothing of the decision moves with p. SolveFailedError: it is not optimal.
        """
        if self.parameters is None and not self.is_quadratic:
            return super().remainder(decision, theta)
        return MixedRemainder.of(self, decision, theta)

    def _answer(self, theta: Tensor, limits: Limits) -> OracleAnswer:
        if self.parameters is None:
            warn_of_signs(self.costs_of(theta).numpy(), self._closed[1], self.names)
            return super()._answer(theta, limits)
        return answer_each(self, theta, limits)

    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """The model's own costs times uniform in (0.5, 1.5); standard normal where it has none, of the
        sign that parameters are declared to have."""
        if self.costs is not None and bool(self.costs.any()):
            factor = 0.5 + torch.rand(batch, self.num_costs, generator=generator, dtype=dtype)
            return self.costs.to(dtype) * factor
        drawn = torch.randn(batch, self.num_costs, generator=generator, dtype=dtype)
        if self._signs is None:
            return drawn
        signs = torch.from_numpy(self._signs).to(dtype)
        return torch.where(signs == 0, drawn, signs * drawn.abs())

    def cost_graph(self) -> CostGraph:
        numbers = torch.arange(self.num_costs)
        return CostGraph(torch.stack([numbers, numbers]), self.num_costs)


def _signed(objective: Any, sense: str) -> Any:
    """Q to minimise."""
    if callable(objective):
        raise UnsupportedError("objective is a matrix Q (n, n) here, for a term x'Qx / 2; not a function.")
    return objective if objective is None or sense == "min" else -objective


def _predicted_names(costs: CostMap, names: Names) -> tuple[str, ...]:
    if costs.num_costs == len(names.variables):
        return names.variables
    return tuple(f"p{k}" for k in range(costs.num_costs))
