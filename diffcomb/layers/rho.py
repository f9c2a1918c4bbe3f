"""rho="auto": the penalty weight that keeps a target share of instances informative."""

from __future__ import annotations

import math

import torch
from torch import Tensor, distributed, nn

from diffcomb.errors import UnsupportedError
from diffcomb.layers.record import LayerRecord


class ShareController(nn.Module):
    """rho = kappa mean|theta| per instance, with kappa <- kappa exp(gain (target - share)).

    `share` is the share of instances in the last training batch whose minimal face has positive
    dimension, that is, whose Jacobian is not zero. It is counted by the face, not by fractional
    coordinates: on a relaxation with fractional vertices those are always there.
    kappa lives in a buffer, so a resumed run continues the same. Outside training kappa = 1.

    Several processes: a call talks to nobody, so that one process may call its layer more often than the
    others; `agree` brings their kappas together where all of them are at the same point, after a training
    step. (Wrapped in DistributedDataParallel, buffers also follow the first process at every forward.)

    Args:
        target: share to hold, in (0, 1). Small: decisions close to exact, few gradients. Large:
            more smoothing, a gradient for nearly every instance.
        gain: step of the controller; small is slow, large oscillates. A batch raises kappa by at most
            exp(gain target) and lowers it by at most exp(gain (1 - target)): 1.29 and 1/1.05.
    """

    kappa: Tensor

    def __init__(self, target: float = 0.85, gain: float = 0.3) -> None:
        super().__init__()
        if not 0 < target < 1:
            raise UnsupportedError(f"target share must lie strictly between 0 and 1, got {target}.")
        if not gain > 0:
            raise UnsupportedError(f"gain must be positive, got {gain}.")
        self.target, self.gain = target, gain
        self.register_buffer("kappa", torch.ones((), dtype=torch.float64))

    def rho(self, scale: Tensor) -> Tensor:
        """Scale of the costs (batch,), mean|theta| -> (batch,) positive, a constant of the backward pass."""
        scale = torch.where(scale > 0, scale, 1.0)  # theta = 0 has no scale of its own
        return scale * self.kappa.to(scale) if self.training else scale

    def rho_of_loss(self, scale: Tensor) -> Tensor:
        """(batch,) -> (batch,) for Fenchel-Young losses: 0.3 mean|theta|, no controller.

        Their gradient z - x_rho is informative at vertices too, so holding a share of positive face
        dimensions would only drive rho to zero.
        """
        return torch.where(scale > 0, 0.3 * scale, 1.0)

    def observe(self, record: LayerRecord) -> None:
        """Move kappa after a training batch by its share of informative instances."""
        if record.share is None:
            return
        # 8 decades each way are beyond anything costs in float64 can use
        self.kappa.mul_(math.exp(self.gain * (self.target - record.share))).clamp_(1e-8, 1e8)

    def agree(self) -> None:
        """The geometric mean of kappa over all processes, to be called by each of them equally often.

        Processes that started equal then move by the mean of their shares.
        """
        count = distributed.get_world_size() if distributed.is_initialized() else 1
        if count > 1:
            total = self.kappa.log()
            distributed.all_reduce(total)
            self.kappa.copy_((total / count).exp())


class FixedRho(nn.Module):
    """A given rho: one number for all instances, or (batch,) one per instance."""

    value: Tensor

    def __init__(self, value: float | Tensor) -> None:
        super().__init__()
        value = torch.as_tensor(value, dtype=torch.float64).detach().clone()  # not the caller's own
        if value.ndim > 1 or not bool((torch.isfinite(value) & (value > 0)).all()):
            raise UnsupportedError("rho must be a positive number, a (batch,) tensor of them, or 'auto'.")
        self.register_buffer("value", value)

    def rho(self, scale: Tensor) -> Tensor:
        return self.value.to(scale.device, scale.dtype).expand(len(scale))

    def rho_of_loss(self, scale: Tensor) -> Tensor:
        """As `rho`."""
        return self.rho(scale)

    def observe(self, record: LayerRecord) -> None:
        """A fixed rho ignores what happened."""
