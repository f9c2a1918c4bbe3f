"""Data modules that judge trained models in their own way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import pandas as pd
from torch import nn


@runtime_checkable
class Reporting(Protocol):
    """Where it is there, `train.py` prints its table instead of drawing decisions."""

    def report(self, encoders: Mapping[str, nn.Module], folder: Path) -> pd.DataFrame:
        """Judge every method's encoder; files go to `folder`."""
        ...
