"""Any function that decides, as a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import DecisionError, InvalidInstanceError, UnsupportedError
from diffcomb.problems.black_box.decide_oracle import DecideOracle
from diffcomb.problems.problem import CostGraph, Problem, Remainder
from diffcomb.program import Program


class BlackBox(Problem):
    """min over y in Y of theta'g(y) + h(y), decided by a function: Dijkstra, a binary, anything.

    Nothing to register and nothing to describe: the set Y is known to the function alone, so there is no
    polytope, and layers work with decisions only (solver "vertices").

    Args:
        num_costs: P, the length of theta.
        decide: costs (batch, P), a float64 array -> decisions (batch, n), the minimisers. A function of
            one row, (P,) -> (n,), is called row by row; which it is shows at the first call.
        features: g, decisions (batch, n) tensor -> (batch, P) tensor; None: the decision itself.
        known: h, decisions (batch, n) tensor -> (batch,) tensor, a cost that is not predicted; None: 0.

    A function is believed (status "trusted") until an earlier answer of its own is better at the costs it
    is asked for: then `DecisionError` has both values.

    Raises:
        InvalidInstanceError: num_costs below 1, or a decide that cannot be called.
        DecisionError: from a call: a wrong shape, a NaN, a worse answer than one seen before.
    """

    is_binary = False
    has_program = False
    default_oracle = "decide"

    def __init__(
        self,
        num_costs: int,
        decide: Callable[[np.ndarray], Any],
        features: Callable[[Tensor], Tensor] | None = None,
        known: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        if num_costs < 1:
            raise InvalidInstanceError(f"num_costs must be at least 1, got {num_costs}.")
        if not callable(decide):
            raise InvalidInstanceError(f"decide must be a function, got {type(decide).__name__}.")
        self.num_costs = num_costs
        self._features, self._known_cost = features, known
        self._oracle = DecideOracle(decide)
        self.oracles = (self._oracle,)

    @property
    def num_vars(self) -> int:
        """n; with `features`, known from the first decision on."""
        if self._features is None:
            return self.num_costs
        if self._oracle.width is None:
            raise UnsupportedError("The length of a decision is known from the first one on; decide first.")
        return self._oracle.width

    @property
    def has_features(self) -> bool:
        """Whether theta weighs something else than the decision's own entries."""
        return self._features is not None

    @property
    def has_linear_oracle(self) -> bool:
        return self._features is None and self._known_cost is None

    def remainder(self, decision: Tensor, theta: Tensor) -> Remainder:
        raise UnsupportedError(
            "A BlackBox with features or known costs has no gradient of its decision; train with a loss that"
            " asks the function alone (SPOPlusLoss, PerturbedFenchelYoungLoss)."
        )

    def features(self, z: Tensor) -> Tensor:
        """g, (..., n) -> (..., P)."""
        return z if self._features is None else self._called("features", self._features, z, (self.num_costs,))

    def known(self, z: Tensor) -> Tensor:
        """h, (..., n) -> (...)."""
        return (
            z.new_zeros(z.shape[:-1])
            if self._known_cost is None
            else self._called("known", self._known_cost, z, ())
        )

    def _called(
        self, name: str, function: Callable[[Tensor], Tensor], z: Tensor, shape: tuple[int, ...]
    ) -> Tensor:
        """A function of the user on decisions of any number of batch dimensions."""
        flat = z.reshape(-1, z.shape[-1])
        out = torch.as_tensor(function(flat))
        if tuple(out.shape) != (len(flat), *shape):
            raise DecisionError(
                f"{name} must return shape {(len(flat), *shape)} for {len(flat)} decisions, got"
                f" {tuple(out.shape)}."
            )
        return out.to(z).reshape(*z.shape[:-1], *shape)

    def objective(self, z: Tensor, theta: Tensor) -> Tensor:
        """theta'g(z) + h(z), (..., n), (..., P) -> (...)."""
        return (theta * self.features(z)).sum(-1) + self.known(z)

    def value_gradient(self, z: Tensor, theta: Tensor) -> Tensor:
        """g(z), (..., P)."""
        return self.features(z)

    def is_feasible(self, z: Tensor) -> Tensor:
        """Whether all entries are finite: only the function knows Y."""
        return torch.isfinite(z).all(-1)

    def polytope(self) -> Program:
        raise UnsupportedError("A BlackBox has no rows; use solver='vertices'.")

    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Uniform in (0.1, 1.1)."""
        return 0.1 + torch.rand(batch, self.num_costs, generator=generator, dtype=dtype)

    def cost_graph(self) -> CostGraph:
        numbers = torch.arange(self.num_costs)
        return CostGraph(torch.stack([numbers, numbers]), self.num_costs)
