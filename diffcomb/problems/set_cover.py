"""Set cover: the cheapest sets that cover every element."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.errors import InfeasibleError, InvalidInstanceError
from diffcomb.problems.own_arrays import whole_number, whole_numbers
from diffcomb.problems.problem import CostGraph, Problem
from diffcomb.program import Program


class SetCover(Problem):
    """min theta'z over choices z of sets such that every element lies in `cover` chosen sets or more.

    Program: the covering rows over [0,1]^n, an outer relaxation with fractional vertices.

    Args:
        sets: elements of each set, numbered from 0; n = len(sets).
        num_elements: number of elements.
        cover: how many chosen sets each element needs.
    """

    default_oracle = "highs"

    def __init__(self, sets: Sequence[Sequence[int]], num_elements: int, *, cover: int = 1) -> None:
        members = [np.unique(whole_numbers(s, f"Elements of set {k}")) for k, s in enumerate(map(list, sets))]
        num_elements, cover = whole_number(num_elements, "num_elements", 1), whole_number(cover, "cover", 1)
        if not members:
            raise InvalidInstanceError("Set cover needs at least one set.")
        if any(len(m) and (m[0] < 0 or m[-1] >= num_elements) for m in members):
            raise InvalidInstanceError(f"Elements must lie in 0..{num_elements - 1}.")
        self.members, self.num_elements, self.cover = members, num_elements, cover
        self.num_costs = len(members)
        columns = np.repeat(np.arange(self.num_costs), [len(m) for m in members])
        rows = np.concatenate(members)
        self._contains = sparse.csr_array(
            (np.ones(len(rows)), (rows, columns)), shape=(num_elements, self.num_costs)
        )
        short = np.flatnonzero(np.bincount(rows, minlength=num_elements) < cover)
        if len(short):
            raise InfeasibleError(f"Element {short[0]} lies in fewer than {cover} sets.")

    def is_feasible(self, z: Tensor) -> Tensor:
        chosen = (z > 0.5).to(torch.float64)
        binary = ((z - chosen.to(z.dtype)).abs() <= 1e-6).all(-1)
        contains = torch.as_tensor(self._contains.toarray(), device=z.device)
        return binary & (chosen @ contains.T >= self.cover).all(-1)

    def polytope(self) -> Program:
        return Program.from_arrays(
            G=-self._contains,
            h=np.full(self.num_elements, -float(self.cover)),
            num_vars=self.num_costs,
            integral=False,
        )

    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Size of the set times uniform (0.5, 1.5)."""
        sizes = torch.tensor([max(1, len(m)) for m in self.members], dtype=dtype)
        return sizes * (0.5 + torch.rand(batch, self.num_costs, generator=generator, dtype=dtype))

    def cost_graph(self) -> CostGraph:
        """Sets are nodes with a self-loop each; elements are left to the encoder's own graph."""
        sets = torch.arange(self.num_costs)
        return CostGraph(torch.stack([sets, sets]), self.num_costs)
