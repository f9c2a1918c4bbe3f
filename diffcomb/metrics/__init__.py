"""Regret and gradient agreement."""

from diffcomb.metrics.gradient_cosine import gradient_cosine
from diffcomb.metrics.regret import normalized_regret, regret_unit

__all__ = ["gradient_cosine", "normalized_regret", "regret_unit"]
