"""WHAT is decided: costs, feasible set, relaxation and generator of one problem."""

from __future__ import annotations

import hashlib
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import InfeasibleError, InvalidCostsError, SolveFailedError
from diffcomb.oracles import Limits, Oracle, OracleAnswer, OracleResult, Status, find_oracle
from diffcomb.program import Program, Rows


@dataclass(frozen=True)
class CostGraph:
    """Where the costs live: cost k belongs to the edge (edge_index[0, k], edge_index[1, k]).

    A cost of a single object (a knapsack item) is a self-loop. Encoders read this to predict one
    number per cost.
    """

    edge_index: Tensor
    num_nodes: int


class Problem(ABC):
    """min over Z of theta'z, Z a finite set of 0-1 vectors. Always a minimisation.

    Instances are immutable after construction; costs are passed to every call, or kept in `costs`
    when the instance came from a file with its own (float64, (n,)).
    """

    num_costs: int
    costs: Tensor | None = None
    #: dedicated algorithms, beside the mixed-integer backends that take any problem with rows
    oracles: Sequence[Oracle] = ()
    #: name of the oracle that "auto" means
    default_oracle: str = "highs"
    #: sign of typical costs; -1 where they are negated gains
    cost_sign: int = 1
    #: True when Z is a set of 0-1 vectors with a polytope, which is all that MIP backends need
    is_binary: bool = True
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

    # -- costs --------------------------------------------------------------------------------
    @abstractmethod
    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """(batch, n) costs of typical size for tests and benchmarks; the same generator, the same costs."""

    @abstractmethod
    def cost_graph(self) -> CostGraph:
        """The graph whose edges carry the costs, for encoders."""

    def objective(self, z: Tensor, theta: Tensor) -> Tensor:
        """theta'z, (..., n) and (..., n) -> (...)."""
        return (z * theta).sum(-1)

    def cost_of(self, decision: Tensor, theta: Tensor) -> Tensor:
        """What losses and layers minimise, (..., n) and (..., n) -> (...): the objective."""
        return self.objective(decision, theta)

    def realized_cost(self, decision: Tensor, theta: Tensor) -> Tensor:
        """What a decision (..., n), made on predictions, costs when theta (..., n) occurs -> (...)."""
        return self.objective(decision, theta)

    def value_gradient(self, z: Tensor, theta: Tensor) -> Tensor:
        """dV/dtheta of V(theta) = min over Z at its minimisers z, (..., n) -> (..., n): z itself here."""
        return z

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
        """Solve min theta'z over Z with an exact oracle.

        Args:
            theta: (batch, n) or (n,) costs; None takes the instance's own `costs`.
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
        chosen = find_oracle(limits.oracle, self)
        costs = np.ascontiguousarray(
            theta.detach().reshape(-1, self.num_costs).to("cpu", torch.float64).numpy()
        )
        start = time.perf_counter()
        answer = chosen.solve(self, costs, limits) if len(costs) else OracleAnswer(costs, np.zeros(0), ())
        return self._result(answer, theta, time.perf_counter() - start, on_failure)

    def _result(self, answer: OracleAnswer, theta: Tensor, seconds: float, on_failure: str) -> OracleResult:
        status = Status.worst(answer.statuses)
        if on_failure == "raise" and status is Status.INFEASIBLE:
            raise InfeasibleError(f"This {type(self).__name__} has no feasible solution.")
        if on_failure == "raise" and status is Status.UNKNOWN:
            raise SolveFailedError("No solution found within the limits; raise time_limit.")
        found = torch.from_numpy(answer.decisions).to(theta.device).reshape(theta.shape)
        decision = found.to(theta.dtype)
        # a sum of half-precision costs overflows, and rounds to three digits: values are float32 at least
        precise = torch.promote_types(theta.dtype, torch.float32)
        value = self.objective(found, theta.detach().double()).to(precise)
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
        bound = torch.from_numpy(answer.bounds).to(theta.device, precise).reshape(value.shape)
        value = torch.where(has_decision, value, torch.inf)
        bound = torch.where(optimal, value, torch.minimum(bound, value))
        return OracleResult(decision, value, bound, answer.statuses, seconds, unique)


def _fingerprint(value: object) -> Hashable:
    """A number, name or array as a short key; arrays by content."""
    if not isinstance(value, np.ndarray):
        return value
    return value.shape, value.dtype.str, hashlib.blake2b(value.tobytes(), digest_size=16).digest()
