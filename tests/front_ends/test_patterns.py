"""Names and patterns that say what is predicted."""

from __future__ import annotations

import pytest

from diffcomb.errors import InvalidInstanceError
from diffcomb.front_ends.patterns import columns_of

NAMES = ["price_2", "x[1,2]", "price_1", "x[1,3]", "open", "x1"]


def test_columns_follow_the_patterns_then_the_model() -> None:
    """theta is in the order the user wrote, a pattern's columns in the order of the model."""
    assert columns_of(NAMES, ["open", "price_*"]).tolist() == [4, 0, 2]
    assert columns_of(NAMES, "price_?").tolist() == [0, 2]


def test_brackets_mean_themselves() -> None:
    """x[1,2] is a name, not a choice of characters; x[1,*] is all of row 1."""
    assert columns_of(NAMES, ["x[1,3]"]).tolist() == [3]
    assert columns_of(NAMES, ["x[1,*]"]).tolist() == [1, 3]


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (["cost_*"], r"No variable is called cost_\*; there are price_2"),
        (["price_1", "price_*"], r"price_\* and price_1 both name price_1"),
    ],
)
def test_wrong_patterns_are_named(patterns: list[str], message: str) -> None:
    with pytest.raises(InvalidInstanceError, match=message):
        columns_of(NAMES, patterns)
