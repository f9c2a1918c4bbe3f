"""Rows that depend on what is predicted: affine maps p -> A, b, G, h, Q, and gradients back through them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import reduce
from operator import add

from torch import Tensor

from diffcomb.program.affine_map import AffineMap


@dataclass(frozen=True)
class RowValues:
    """One value or one gradient per block; None where a block does not depend on p.

    b (..., p), h (..., q); A, G and quadratic hold the stored entries of their sparse matrices, in order.
    """

    A: Tensor | None = None
    b: Tensor | None = None
    G: Tensor | None = None
    h: Tensor | None = None
    quadratic: Tensor | None = None


@dataclass(frozen=True)
class Parameters:
    """A(p), b(p), G(p), h(p), Q(p), each affine in p on a fixed pattern; None: the block is fixed.

    Costs have a map of their own, `CostMap`.
    """

    A: AffineMap | None = None
    b: AffineMap | None = None
    G: AffineMap | None = None
    h: AffineMap | None = None
    quadratic: AffineMap | None = None

    @property
    def is_empty(self) -> bool:
        """No block depends on p."""
        return all(getattr(self, block.name) is None for block in fields(self))

    def apply(self, p: Tensor) -> RowValues:
        """p (..., P) -> the values of every block that moves, differentiable in p."""
        maps = {block.name: getattr(self, block.name) for block in fields(self)}
        return RowValues(**{name: None if one is None else one(p) for name, one in maps.items()})

    def pull(self, grads: RowValues) -> Tensor:
        """Gradients in the values of the blocks, as one in p (..., P); a gradient left out is 0."""
        pulled = [
            getattr(self, block.name).pull(getattr(grads, block.name))
            for block in fields(self)
            if getattr(self, block.name) is not None and getattr(grads, block.name) is not None
        ]
        return reduce(add, pulled)
