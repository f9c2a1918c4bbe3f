"""solver="kkt": the compiled implementation for tensors on the CPU, the batched torch one on a GPU."""

from __future__ import annotations

import torch
from torch import Tensor

from diffcomb.problems import Problem
from diffcomb.projection.kkt import KKTSolver
from diffcomb.projection.kkt_torch import TorchKKTSolver
from diffcomb.projection.relaxed import RelaxedDecision

#: largest J (rows x variables) that batched torch holds densely: a batch of 256 takes 0.4 GB
_DENSE_ENTRIES = 200_000


def implementation_for(
    device: torch.device, num_rows: int, num_vars: int, backward: str = "cholesky"
) -> type[KKTSolver]:
    """Torch on a CUDA device, for rows small enough to be dense and a factorised adjoint; else compiled.

    What runs compiled is copied to the CPU and its answer back.
    """
    dense = num_rows * num_vars <= _DENSE_ENTRIES
    return TorchKKTSolver if device.type == "cuda" and dense and backward == "cholesky" else KKTSolver


class DeviceKKTSolver:
    """x_rho by the implementation of "kkt" that fits the device of theta; same arguments as KKTSolver.

    Raises:
        InfeasibleError: the polytope is empty.
    """

    name = "kkt"

    def __init__(self, problem: Problem, *, backward: str = "cholesky", lazy_rows: bool = True) -> None:
        self.problem, self.backward, self.lazy_rows = problem, backward, lazy_rows
        compiled = KKTSolver(problem, backward=backward, lazy_rows=lazy_rows)
        self._rows, self._vars = len(compiled.polytope.b) + len(compiled.polytope.h), problem.num_costs
        self._built: dict[type[KKTSolver], KKTSolver] = {KKTSolver: compiled}

    def solve(self, theta: Tensor, rho: Tensor) -> RelaxedDecision:
        chosen = implementation_for(theta.device, self._rows, self._vars, self.backward)
        if chosen not in self._built:
            self._built[chosen] = chosen(self.problem, backward=self.backward, lazy_rows=self.lazy_rows)
        return self._built[chosen].solve(theta, rho)
