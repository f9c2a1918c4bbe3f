"""A mixed-integer linear model from whatever holds one."""

from __future__ import annotations

from pathlib import Path

import highspy

from diffcomb.data.highs_model import from_highs
from diffcomb.data.lp import read_lp
from diffcomb.data.mixed_integer_model import MixedIntegerModel
from diffcomb.data.mps import read_mps
from diffcomb.errors import InvalidInstanceError


def read_model(source: str | Path | highspy.Highs) -> MixedIntegerModel:
    """An .mps or .lp file, gzipped or not, or a HiGHS model.

    Raises:
        InvalidInstanceError: neither, or see `read_mps`, `read_lp`, `from_highs`.
        InfeasibleError: bounds that exclude each other.
    """
    if isinstance(source, highspy.Highs):
        return from_highs(source)
    path = Path(source)
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    if suffix not in (".mps", ".lp"):
        raise InvalidInstanceError(
            f"{path.name} is neither an .mps nor an .lp file; rename it, or convert it."
        )
    return read_mps(path) if suffix == ".mps" else read_lp(path)
