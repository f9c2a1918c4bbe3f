"""Temperatures and noise that fall over a training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from diffcomb.errors import UnsupportedError


@dataclass(frozen=True)
class Annealing:
    """tau_t = tau_start (tau_end / tau_start)^(t / steps), noise factor noise (1 - t / steps), t <= steps.

    Args:
        tau_start: large: nearly uniform soft decisions, smooth and little informed.
        tau_end: small: soft decisions near a vertex, gradients that vanish or vary wildly.
        steps: calls until tau_end; 0 = tau_end from the start, without noise.
        noise: factor of the Gumbel noise at the start; 0 = none.
    """

    tau_start: float = 2.0
    tau_end: float = 0.1
    steps: int = 300
    noise: float = 1.0

    def __post_init__(self) -> None:
        if self.tau_start <= 0 or self.tau_end <= 0 or self.steps < 0 or self.noise < 0:
            raise UnsupportedError(
                "Annealing needs tau_start > 0, tau_end > 0, steps >= 0 and noise >= 0,"
                f" got {self.tau_start}, {self.tau_end}, {self.steps}, {self.noise}."
            )

    def progress(self, step: int) -> float:
        """t / steps, at most 1."""
        return min(1.0, step / self.steps) if self.steps else 1.0

    def tau(self, step: int) -> float:
        return self.tau_start * (self.tau_end / self.tau_start) ** self.progress(step)

    def noise_factor(self, step: int) -> float:
        return self.noise * (1.0 - self.progress(step))

    def sweeps(self, step: int, fewest: int = 20, most: int = 200) -> int:
        """Sinkhorn sweeps max(fewest, 2 / tau): a cold matrix needs more to become doubly stochastic."""
        return min(most, max(fewest, math.ceil(2.0 / self.tau(step))))
