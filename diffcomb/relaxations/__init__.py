"""What replaces the layer in a comparison: same call, other gradient."""

from diffcomb.relaxations.two_stage import TwoStage

__all__ = ["TwoStage"]
