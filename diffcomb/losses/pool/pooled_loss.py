"""The frame of losses that compare costs over a pool of decisions."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.errors import UnsupportedError
from diffcomb.losses.loss import Loss
from diffcomb.losses.pool.affine_costs import AffineCosts
from diffcomb.losses.pool.solution_pool import SolutionPool
from diffcomb.problems import Problem


class PooledLoss(Loss):
    """A loss that compares costs over a pool instead of solving; one problem only.

    Needs true costs c and optimal decisions z, which enter the pool. Oracle calls: resolve_rate
    forward, 0 backward. Blind to decisions outside the pool. Formulas write theta'w for what w costs at
    theta by the problem's objective, which must be affine in theta.

    Args:
        layer: gives the problem and its oracle.
        capacity, resolve_rate, seed: see `SolutionPool`.
    """

    needs = ("costs", "decisions")

    def __init__(
        self, layer: nn.Module, capacity: int = 1000, resolve_rate: float = 0.05, seed: int = 0
    ) -> None:
        super().__init__(layer)
        if not isinstance(layer.problem, Problem):
            raise UnsupportedError(f"{type(self).__name__} keeps a pool of one problem; got a list of them.")
        self.pool = SolutionPool(layer.problem, capacity, resolve_rate, seed)

    def block_loss(self, problem: Problem, theta: Tensor, costs: Tensor, z_true: Tensor) -> Tensor:
        if problem is not self.pool.problem:
            raise UnsupportedError(f"{type(self).__name__} keeps a pool of one problem; got other problems.")
        if self.training:
            self.pool.update(theta, z_true, self.limits)
        if not len(self.pool):
            raise UnsupportedError("The solution pool is empty; call the loss in training mode first.")
        best = AffineCosts.of(problem, z_true)
        return self.compare(theta, costs, best, AffineCosts.of(problem, self.pool.members(theta.dtype)))

    def compare(self, theta: Tensor, costs: Tensor, best: AffineCosts, pool: AffineCosts) -> Tensor:
        """theta, costs (rows, n), the costs of z_true (one a row) and of the pool's members -> (rows,)."""
        raise NotImplementedError
