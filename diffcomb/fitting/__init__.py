"""Two verbs for plain arrays and tensors: fit a model that decides well, and say how well one decides."""

from diffcomb.fitting.decision_regressor import DecisionRegressor
from diffcomb.fitting.regret import regret

__all__ = ["DecisionRegressor", "regret"]
