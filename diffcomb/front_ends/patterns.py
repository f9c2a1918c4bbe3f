"""Which columns of a model a user means by names and patterns."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from diffcomb.errors import InvalidInstanceError


def columns_of(names: Sequence[str], patterns: str | Sequence[str]) -> np.ndarray:
    """Columns that the patterns name, in the order of the patterns and, within one, of the model.

    A pattern is a name, or a name with * (any characters) and ? (one character); brackets mean themselves,
    as in x[1,2].

    Raises:
        InvalidInstanceError: a pattern that names no column, or a column a second time.
    """
    wanted = [patterns] if isinstance(patterns, str) else list(patterns)
    found: list[int] = []
    owner: dict[int, str] = {}
    for pattern in wanted:
        matches = [j for j, name in enumerate(names) if name == pattern]
        if not matches:
            expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
            matches = [j for j, name in enumerate(names) if re.fullmatch(expression, name)]
        if not matches:
            shown = ", ".join(list(names)[:3])
            raise InvalidInstanceError(f"No variable is called {pattern}; there are {shown}, ...")
        for j in matches:
            if j in owner:
                raise InvalidInstanceError(
                    f"{pattern} and {owner[j]} both name {names[j]}; name every variable once."
                )
            owner[j] = pattern
        found += matches
    return np.array(found, dtype=np.int64)
