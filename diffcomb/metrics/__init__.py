"""Regret, gap and gradient agreement."""

from diffcomb.metrics.gradient_cosine import gradient_cosine
from diffcomb.metrics.regret import cost_unit, normalized_regret, regret_scale, relative_gap

__all__ = ["cost_unit", "gradient_cosine", "normalized_regret", "regret_scale", "relative_gap"]
