"""Seeded noise on costs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffcomb.errors import UnknownNameError, UnsupportedError


def cost_scale(theta: Tensor) -> Tensor:
    """mean|theta|, (..., n) -> (..., 1), detached; 1 where theta = 0, which has no scale of its own."""
    # divided before they are added up: a sum of finite costs may overflow
    scale = (theta.detach().abs() / theta.shape[-1]).sum(-1, keepdim=True)
    return torch.where(scale > 0, scale, 1.0)


def length(v: Tensor) -> Tensor:
    """||v||, (..., n) -> (..., 1); squares that overflow or vanish do not matter."""
    largest = v.abs().amax(-1, keepdim=True)
    largest = torch.where(largest > 0, largest, 1.0)
    return largest * torch.linalg.vector_norm(v / largest, dim=-1, keepdim=True)


def matching_step(theta: Tensor, direction: Tensor) -> Tensor:
    """||theta|| / ||direction||, (..., n) and (..., n) -> (..., 1), detached: theta moves by 100 %.

    1 where either is zero.
    """
    reach, step = length(theta.detach()), length(direction.detach())
    return torch.where((reach > 0) & (step > 0), reach / torch.where(step > 0, step, 1.0), 1.0)


class SeededNoise(nn.Module):
    """Draw number d of seed s is always the same; d is a buffer, so a resumed run goes on with it.

    Args:
        law: "normal" N(0, 1); "gumbel", standard Gumbel; "sum_of_gamma" (Niepert et al. 2021,
            arXiv:2106.01798), (1/k)(sum over i <= s of Gamma(1/k, scale k/i) - log s), whose sum over
            k coordinates is Gumbel as s grows.
        seed: of all draws.
        terms: s of "sum_of_gamma".
    """

    draws: Tensor

    def __init__(self, law: str = "normal", seed: int = 0, *, terms: int = 10) -> None:
        super().__init__()
        if law not in ("normal", "gumbel", "sum_of_gamma"):
            raise UnknownNameError(f"Unknown noise {law!r}; choose normal, gumbel or sum_of_gamma.")
        self.law, self.seed, self.terms = law, seed, terms
        self.register_buffer("draws", torch.zeros((), dtype=torch.long))

    def forward(self, num_samples: int, like: Tensor, *, cardinality: int = 1) -> Tensor:
        """(num_samples, *like.shape) on the device of `like`; float64, but normal noise in its dtype.

        Args:
            cardinality: k of "sum_of_gamma", the number of ones of a decision.
        """
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + int(self.draws))
        self.draws += 1
        shape = (num_samples, *like.shape)
        if self.law == "normal":
            # float32 is drawn six times as fast
            dtype = like.dtype if like.dtype == torch.float32 else torch.float64
            noise = torch.randn(shape, generator=generator, dtype=dtype)
        elif self.law == "gumbel":
            uniform = torch.rand(shape, generator=generator, dtype=torch.float64)
            noise = -torch.log(-torch.log(uniform.clamp(1e-12, 1 - 1e-12)))
        else:
            k = float(cardinality)
            order = torch.arange(1, self.terms + 1, dtype=torch.float64)
            shapes = torch.full((*shape, self.terms), 1.0 / k, dtype=torch.float64)
            gammas = torch._standard_gamma(shapes, generator=generator) * (k / order)
            noise = (gammas.sum(-1) - order[-1].log()) / k
        return noise.to(like.device)


class Perturbation(nn.Module):
    """theta + sigma mean|theta| xi ("additive"), theta + sigma xi ("absolute"), or
    theta exp(sigma xi - sigma^2/2) ("multiplicative").

    xi is standard normal. "absolute" is the paper's: the size of theta is then learned with it, and a
    larger theta means less smoothing. "additive" is in units of mean|theta|, held constant by the
    backward pass, so one value serves all problems and smoothing stays as it is. Multiplicative noise
    has mean 1 and keeps the sign of each cost.

    Args:
        sigma: small: decisions close to z*, few informative gradients. Large: smooth, less faithful.
        num_samples: M, oracle calls per instance. Small: noisy gradients. Large: slow.
        seed: see `SeededNoise`.
    """

    def __init__(
        self, sigma: float = 1.0, num_samples: int = 3, kind: str = "additive", seed: int = 0
    ) -> None:
        super().__init__()
        if kind not in ("additive", "absolute", "multiplicative"):
            raise UnknownNameError(
                f"Unknown perturbation {kind!r}; choose additive, absolute or multiplicative."
            )
        if not sigma > 0 or num_samples < 1:
            raise UnsupportedError("sigma must be positive and num_samples at least 1.")
        self.sigma, self.num_samples, self.kind = sigma, num_samples, kind
        self.noise = SeededNoise("normal", seed)

    def forward(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """theta (batch, n) -> perturbed costs and xi, both (M, batch, n); costs keep the graph of theta."""
        xi = self.noise(self.num_samples, theta).to(theta.dtype)
        if self.kind == "additive":
            return theta + self.sigma * cost_scale(theta) * xi, xi
        if self.kind == "absolute":
            return theta + self.sigma * xi, xi
        return theta * torch.exp(self.sigma * xi - 0.5 * self.sigma**2), xi
