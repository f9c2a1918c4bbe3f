"""An MPS or LP file and the names of what is predicted of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diffcomb.data.read_model import read_model
from diffcomb.front_ends.patterns import columns_of
from diffcomb.program.predicted_model import PredictedModel


def read_file(source: Any, predicted: str | Sequence[str] | None = None) -> PredictedModel:
    """An MPS or LP file, or a `highspy.Highs` model; names or patterns say whose costs are predicted.

    Raises:
        InvalidInstanceError: unreadable, or a pattern that names no variable.
    """
    model = read_model(source)
    return PredictedModel.of(model, None if predicted is None else columns_of(model.names, predicted))
