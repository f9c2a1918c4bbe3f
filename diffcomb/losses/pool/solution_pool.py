"""A bounded pool of decisions seen so far."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffcomb.errors import UnsupportedError
from diffcomb.layers import exact_decisions
from diffcomb.oracles import Limits
from diffcomb.problems import Problem


class SolutionPool(nn.Module):
    """At most `capacity` distinct members of Z; when full, the oldest makes place.

    The pool of Mulamba et al., IJCAI 2021, arXiv:2011.05354: optimal decisions of the training set, and
    decisions at predicted costs, each instance re-solved with probability `resolve_rate`. It saves
    1 - resolve_rate of the solves. Everything is in buffers, so it survives checkpoints.

    Args:
        problem: whose decisions.
        capacity: small: forgets; large: slower comparisons (batch x capacity x n).
        resolve_rate: oracle calls per instance and step. 0: only the given decisions; 1: no saving.
        seed: of the choice which instances are re-solved.
    """

    solutions: Tensor
    added: Tensor
    draws: Tensor

    def __init__(
        self, problem: Problem, capacity: int = 1000, resolve_rate: float = 0.05, seed: int = 0
    ) -> None:
        super().__init__()
        if capacity < 1 or not 0 <= resolve_rate <= 1:
            raise UnsupportedError("capacity must be at least 1 and resolve_rate between 0 and 1.")
        self.problem, self.capacity, self.resolve_rate, self.seed = problem, capacity, resolve_rate, seed
        self.register_buffer("solutions", torch.zeros(capacity, problem.num_costs, dtype=torch.int8))
        self.register_buffer("added", torch.zeros((), dtype=torch.long))
        self.register_buffer("draws", torch.zeros((), dtype=torch.long))

    def __len__(self) -> int:
        return min(int(self.added), self.capacity)

    def members(self, dtype: torch.dtype = torch.float64) -> Tensor:
        """(len(pool), n)."""
        return self.solutions[: len(self)].to(dtype)

    def add(self, decisions: Tensor) -> int:
        """Take in 0-1 rows (k, n) not yet here; returns how many."""
        rows = torch.unique(decisions.detach().round().to(self.solutions), dim=0)
        # of 0-1 rows, (2a - 1)'(2b - 1) = n exactly when a = b
        overlap = (2 * rows.double() - 1) @ (2 * self.members() - 1).T
        fresh = rows[~(overlap > rows.shape[1] - 0.5).any(1)][-self.capacity :]
        places = (self.added + torch.arange(len(fresh), device=rows.device)) % self.capacity
        self.solutions[places] = fresh
        self.added += len(fresh)
        return len(fresh)

    def update(self, theta: Tensor, z_true: Tensor, settings: Limits) -> int:
        """Add z_true (batch, n) and z* at a random share of theta (batch, n); returns the oracle calls."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + int(self.draws))
        self.draws += 1
        chosen = torch.rand(len(theta), generator=generator) < self.resolve_rate
        found = theta.new_zeros(0, theta.shape[1]).double()
        if bool(chosen.any()):
            found = exact_decisions(self.problem, theta[chosen.to(theta.device)], settings)
        self.add(torch.cat([z_true.detach().to(found), found]))
        return len(found)
