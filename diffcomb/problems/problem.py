"""WHAT is decided: costs, feasible set, relaxation and generator of one problem."""

from __future__ import annotations

import hashlib
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import InfeasibleError, InvalidCostsError, SolveFailedError, UnsupportedError
from diffcomb.oracles import Limits, Oracle, OracleAnswer, OracleResult, Status, find_oracle, oracle_names
from diffcomb.program import CostMap, Program, Rows, UnitBox


class Remainder(Protocol):
    """adjoint: d loss / d decision -> d loss / d theta; tied: (batch,) bool, one of several derivatives."""

    @property
    def tied(self) -> Tensor: ...

    def adjoint(self, grad: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class CostGraph:
    """Where the costs live: cost k belongs to the edge (edge_index[0, k], edge_index[1, k]).

    A cost of a single object (a knapsack item) is a self-loop. Encoders read this to predict one
    number per cost.
    """

    edge_index: Tensor
    num_nodes: int


class Problem(ABC):
    """The best of theta'z over z in Z: the least, unless a `cost_map` says "max".

    theta is what is predicted, P = `num_costs` numbers. Without a cost map they are the costs of the
    n = `num_vars` coordinates of a decision themselves; with one, c = sign (C theta + c0) are, and oracles
    and convex solvers minimise c'z. Values are always the user's own: see `objective`.

    Instances are immutable after construction; costs are passed to every call, or kept in `costs`
    when the instance came from a file with its own (float64, (P,)).
    """

    num_costs: int
    #: how predicted numbers become costs; None: they are the costs
    cost_map: CostMap | None = None
    costs: Tensor | None = None
    #: dedicated algorithms, beside the mixed-integer backends that take any problem with rows
    oracles: Sequence[Oracle] = ()
    #: name of the oracle that "auto" means
    default_oracle: str = "highs"
    #: sign of typical costs; -1 where they are negated gains
    cost_sign: int = 1
    #: True when Z is a set of 0-1 vectors
    is_binary: bool = True
    #: True when `polytope()` exists, which is all that mixed-integer backends need
    has_program: bool = True
    #: True where the costs decide which decisions are feasible (start times under durations)
    set_moves: bool = False
    #: names of attributes that say all of the program but its right-hand sides; (): nothing short does
    structure: tuple[str, ...] = ()
    _structure_key: Hashable = None

    # -- the feasible set ---------------------------------------------------------------------
    @abstractmethod
    def is_feasible(self, z: Tensor) -> Tensor:
        """z (..., n) -> (...) bool: is z a member of Z (0-1 to 1e-6)?"""

    @abstractmethod
    def polytope(self) -> Program:
        """The relaxation X that contains Z, with `integral` saying whether X = conv(Z).

        Raises:
            UnsupportedError: Z is known by an oracle of its own alone; solver="vertices" needs no rows.
        """

    @cached_property
    def unit_box(self) -> UnitBox:
        """The map between decisions and the unit box, which contains Z in its coordinates."""
        if self.is_binary:
            return UnitBox.unit(self.num_vars)
        try:
            return UnitBox.of(self.polytope())
        except UnsupportedError:
            return UnitBox.unit(self.num_vars)

    @property
    def has_linear_oracle(self) -> bool:
        """Whether min c'z over a fixed Z is what is decided, so that Z is known by its linear minimisers."""
        return not self.set_moves

    def remainder(self, decision: Tensor, theta: Tensor) -> Remainder:
        """The derivative of the continuous part of `decision` (batch, n) in theta, discrete choices fixed.

        Raises:
            UnsupportedError: nothing of this decision moves with theta.
        """
        raise UnsupportedError(
            f"No part of a decision of {type(self).__name__} moves with the costs; use gradient='relaxed'."
        )

    @property
    def structure_key(self) -> Hashable:
        """Equal for problems that differ in right-hand sides alone, which solvers take as one batch.

        Cheap: no program is built for it, and it is computed once. A subclass that declares no
        `structure` of its own may have added rows, so each of its instances is equal to itself alone.
        """
        if not vars(type(self)).get("structure"):
            return weakref.ref(self)
        if self._structure_key is None:
            parts = (_fingerprint(getattr(self, name)) for name in self.structure)
            self._structure_key = (type(self), *parts)
        return self._structure_key

    #: whether convex solvers should start on `candidate_columns` alone and price the others
    has_candidate_columns: bool = False

    def candidate_columns(self, cost: np.ndarray) -> np.ndarray:
        """Coordinates that x_rho of cost (n,) is likely to use; x = 0 elsewhere must be feasible."""
        return np.arange(self.num_costs)

    def lazy_rows(self, z: np.ndarray) -> Rows:
        """Rows valid for Z that cut off a 0-1 point z (n,) of the polytope's known rows not in Z."""
        return self.polytope().separate(z)

    def repair(self, z: np.ndarray, cost: np.ndarray) -> np.ndarray | None:
        """A cheap member of Z made from a 0-1 point z outside it, or None if nobody knows how."""
        return None

    def why_infeasible(self, theta: Tensor | None = None) -> str:
        """The reason that nothing is feasible, for theta (P,) where it plays a part, as a sentence."""
        return f"This {type(self).__name__} has no feasible solution."

    # -- costs --------------------------------------------------------------------------------
    @property
    def num_vars(self) -> int:
        """n, the length of a decision."""
        return self.num_costs if self.cost_map is None else self.cost_map.num_vars

    @property
    def sign(self) -> int:
        """+1 where a smaller objective is better, -1 where a larger one is."""
        return 1 if self.cost_map is None else self.cost_map.sign

    @abstractmethod
    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """(batch, P) costs of typical size for tests and benchmarks; the same generator, the same costs."""

    @abstractmethod
    def cost_graph(self) -> CostGraph:
        """The graph whose edges carry the costs, for encoders."""

    def cost_scale(self, theta: Tensor) -> Tensor:
        """What rho is measured in, (..., num_costs) -> (...): mean |costs x width| of the variables that
        theta drives, without costs that are known."""
        costs = theta if self.cost_map is None else self.cost_map.linear(theta)
        box = self.unit_box
        if not box.is_identity:
            costs = costs * torch.from_numpy(box.width).to(costs)
        return costs.abs().mean(-1) if self.cost_map is None else self.cost_map.mean(costs.abs())

    def costs_of(self, theta: Tensor) -> Tensor:
        """The costs (..., n) to minimise that theta (..., P) stands for."""
        return theta if self.cost_map is None else self.cost_map.costs(theta)

    def objective(self, z: Tensor, theta: Tensor) -> Tensor:
        """The user's objective: theta'z, or (C theta + c0)'z + constant; (..., n), (..., P) -> (...)."""
        return (z * theta).sum(-1) if self.cost_map is None else self.cost_map.value(z, theta)

    def cost_of(self, decision: Tensor, theta: Tensor) -> Tensor:
        """What losses and layers minimise, (..., n) and (..., P) -> (...): the objective, or minus a gain."""
        return self.sign * self.objective(decision, theta)

    def realized_cost(self, decision: Tensor, theta: Tensor) -> Tensor:
        """What a decision (..., n), made on predictions, costs when theta (..., P) occurs -> (...)."""
        return self.objective(decision, theta)

    def shortfall(self, value: Tensor, best: Tensor) -> Tensor:
        """How much worse an objective is than the best one, never negative at a true optimum: value - best
        where smaller is better, best - value where larger is."""
        return value - best if self.sign > 0 else best - value

    def value_gradient(self, z: Tensor, theta: Tensor) -> Tensor:
        """dV/dtheta of the optimal value at its optimal z, (..., n) -> (..., P): z, or C'z + slope."""
        return z if self.cost_map is None else self.cost_map.value_gradient(z)

    def check_costs(self, theta: Tensor) -> Tensor:
        """theta as given, or a clear refusal.

        Raises:
            InvalidCostsError: last dimension is not `num_costs`, more than two dimensions, not a
                floating dtype, or an entry is NaN or infinite.
        """
        if theta.ndim not in (1, 2) or theta.shape[-1] != self.num_costs:
            raise InvalidCostsError(
                f"{type(self).__name__} needs costs of shape (batch, {self.num_costs})"
                f" or ({self.num_costs},), got {tuple(theta.shape)}."
            )
        if not theta.dtype.is_floating_point:
            raise InvalidCostsError(f"Costs must be floating point, got {theta.dtype}; call .double().")
        # one pass without a temporary; a sum may overflow where every entry is finite
        if not isfinite(theta.detach().sum().item()) and not bool(torch.isfinite(theta).all()):
            index = (~torch.isfinite(theta)).nonzero()[0].tolist()
            raise InvalidCostsError(f"Costs must be finite; entry {index} is {theta[tuple(index)].item()}.")
        return theta

    # -- exact decision -----------------------------------------------------------------------
    def solve(
        self,
        theta: Tensor | None = None,
        oracle: str | Oracle | Limits = "auto",
        time_limit: float | None = None,
        *,
        num_workers: int | None = None,
        seed: int = 0,
        progress: bool = False,
        on_failure: str = "raise",
    ) -> OracleResult:
        """Decide with an exact oracle.

        Args:
            theta: (batch, P) or (P,) costs; None takes the instance's own `costs`.
            oracle: "auto", a backend ("highs", "cpsat", ...), a dedicated algorithm, an `Oracle`; or
                `Limits`, which name all of these and take the place of the next four.
            time_limit: wall-clock seconds per instance; on reaching it the incumbent is returned
                with its bound and a status that does not say optimal.
            num_workers: instances solved in parallel; None = one per core.
            progress: a bar over the batch, and one over the nodes of a long search for a tour.
            on_failure: "raise", or "status" to get a result (value +inf, decision 0) instead.

        Raises:
            InvalidCostsError, UnknownNameError, UnsupportedError, MissingBackendError.
            InfeasibleError: Z is empty. SolveFailedError: limit reached without any solution.
        """
        if theta is None:
            if self.costs is None:
                raise InvalidCostsError(f"This {type(self).__name__} has no costs of its own; pass theta.")
            theta = self.costs
        theta = self.check_costs(torch.as_tensor(theta))
        if isinstance(oracle, Limits):
            limits = oracle
        else:
            limits = Limits(oracle, time_limit, num_workers, seed, progress)
        batch = theta.detach().reshape(-1, self.num_costs).to("cpu", torch.float64)
        start = time.perf_counter()
        answer = self._answer(batch, limits)
        return self._result(answer, theta, time.perf_counter() - start, on_failure)

    def _answer(self, theta: Tensor, limits: Limits) -> OracleAnswer:
        """The oracle's answer for theta (batch, P), float64."""
        return self._minimize(self.costs_of(theta), limits)

    def _minimize(self, costs: Tensor, limits: Limits) -> OracleAnswer:
        """min c'z over Z for costs (batch, n) of the coordinates themselves, past any cost map."""
        chosen = find_oracle(limits.oracle, self)
        array = np.ascontiguousarray(costs.to("cpu", torch.float64).numpy())
        return chosen.solve(self, array, limits) if len(array) else OracleAnswer(array, np.zeros(0), ())

    def decide(self, costs: Tensor, limits: Limits) -> Tensor:
        """z*(costs) (batch, n) for costs (batch, n) of the coordinates themselves, which may have any sign.

        For algorithms that change costs: modified ones (theta + rho (x - 1/2), say) turn negative where theta
        is not. Where the oracle refuses a negative cycle, a mixed-integer solver decides: a shortest path on
        a graph with cycles needs costs without.
        """
        try:
            answer = self._minimize(costs.detach(), limits)
        except InvalidCostsError:
            if limits.oracle != "auto" or "highs" not in oracle_names(self):
                raise
            answer = self._minimize(costs.detach(), limits.with_oracle("highs"))
        self._refuse(answer, None)
        return torch.from_numpy(answer.decisions).to(costs.device)

    def _refuse(self, answer: OracleAnswer, theta: Tensor | None) -> None:
        status = Status.worst(answer.statuses)
        if status is Status.INFEASIBLE:
            place = answer.statuses.index(Status.INFEASIBLE)
            given = None if theta is None else theta.detach().reshape(-1, self.num_costs)[place]
            raise InfeasibleError(self.why_infeasible(given))
        if status is Status.UNKNOWN:
            raise SolveFailedError("No solution found within the limits; raise time_limit.")

    def _result(self, answer: OracleAnswer, theta: Tensor, seconds: float, on_failure: str) -> OracleResult:
        status = Status.worst(answer.statuses)
        if on_failure == "raise":
            self._refuse(answer, theta)
        given = theta.detach().double()
        found = torch.from_numpy(answer.decisions).to(theta.device)
        found = found.reshape(*theta.shape[:-1], found.shape[-1])
        decision = found.to(theta.dtype)
        # a sum of half-precision costs overflows, and rounds to three digits: values are float32 at least
        precise = torch.promote_types(theta.dtype, torch.float32)
        value = self.objective(found, given).to(precise)
        unique = None
        if answer.unique is not None:
            unique = torch.from_numpy(answer.unique).to(theta.device).reshape(value.shape)
        if status is Status.OPTIMAL:
            # a proof closes the gap by definition; what is left between the two is rounding
            return OracleResult(decision, value, value, answer.statuses, seconds, unique)
        has_decision = torch.tensor(
            [s not in (Status.INFEASIBLE, Status.UNKNOWN) for s in answer.statuses], device=theta.device
        ).reshape(value.shape)
        optimal = torch.tensor([s is Status.OPTIMAL for s in answer.statuses], device=theta.device).reshape(
            value.shape
        )
        # bounds are those of c'z to minimise; here they return to the user's sense and constant
        bound = torch.from_numpy(answer.bounds).to(theta.device, torch.float64).reshape(value.shape)
        bound = self.sign * bound + (0.0 if self.cost_map is None else self.cost_map.constant(given))
        bound = bound.to(precise)
        value = torch.where(has_decision, value, self.sign * torch.inf)
        nearest = torch.minimum if self.sign > 0 else torch.maximum
        bound = torch.where(optimal, value, nearest(bound, value))
        return OracleResult(decision, value, bound, answer.statuses, seconds, unique)


def _fingerprint(value: object) -> Hashable:
    """A number, name or array as a short key; arrays by content."""
    if not isinstance(value, np.ndarray):
        return value
    return value.shape, value.dtype.str, hashlib.blake2b(value.tobytes(), digest_size=16).digest()
