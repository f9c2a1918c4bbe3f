"""Give a decision that was computed elsewhere a place in the graph of theta."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

Adjoint = Callable[[Tensor], Tensor]


class _WithAdjoint(Function):
    @staticmethod
    def forward(ctx: Any, theta: Tensor, decision: Tensor, adjoint: Adjoint) -> Tensor:
        ctx.adjoint = adjoint
        # a tensor of its own: the caller may change it in place, the adjoint still needs `decision`
        return decision.to(theta.device, theta.dtype, copy=True)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (grad,) = grads
        return ctx.adjoint(grad.double()).to(grad.device, grad.dtype), None, None


def attach_adjoint(theta: Tensor, decision: Tensor, adjoint: Adjoint) -> Tensor:
    """`decision` (batch, n) with backward `adjoint`, g = d loss / d decision -> d loss / d theta, float64.

    Device and dtype of theta. Differentiable once: a second backward pass raises.
    """
    out: Tensor = _WithAdjoint.apply(theta, decision, adjoint)
    return out
