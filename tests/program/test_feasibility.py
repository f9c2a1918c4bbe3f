"""Feasibility in units of the rows themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffcomb.problems import MixedIntegerProgram


def feasible(z, dtype=torch.float64, **parts) -> bool:
    return bool(MixedIntegerProgram(**parts).is_feasible(torch.tensor(z, dtype=dtype)))


@pytest.mark.parametrize("unit", [1e-10, 1.0, 1e9])
def test_units_of_a_row_decide_nothing(unit: float) -> None:
    """x + y <= 1 in pico and in giga: both at 1 violate it, one at 1 does not."""
    rows = {"G": [[unit, unit]], "h": [unit]}
    assert not feasible([1.0, 1.0], **rows)
    assert feasible([1.0, 0.0], **rows)


def test_one_unit_in_a_billion_is_a_violation() -> None:
    """500000001 + 500000000 <= 1e9 does not hold."""
    assert not feasible([1.0, 1.0], G=[[500000001, 500000000]], h=[1e9])


def test_rounding_of_decimals_is_forgiven() -> None:
    """0.1 + 0.2 <= 0.3, which floating point denies."""
    assert feasible([1.0, 1.0], G=[[0.1, 0.2]], h=[0.3])


def test_bounds_and_whole_numbers_count() -> None:
    """A point outside a bound, or a fraction where a whole number belongs, is not feasible."""
    box = {"G": [[1.0, 1.0]], "h": [9.0], "lower": [-2, 0.5], "upper": [3, 4.5], "integer": [True, False]}
    given = dict(box, integer=np.array(box["integer"]))
    assert feasible([-2.0, 0.5], **given)
    assert feasible([3.0, 4.5], **given)
    assert not feasible([4.0, 1.0], **given)
    assert not feasible([1.0, 0.4], **given)
    assert not feasible([1.5, 1.0], **given)


def test_decisions_in_single_precision_stay_feasible() -> None:
    """A continuous coordinate stored in float32 is off by its rounding, which is no violation."""
    rows = {"A": [[3.0, 1.0]], "b": [1.0], "integer": np.array([False, False])}
    assert feasible([0.3, 0.1], torch.float32, **rows)
    assert not feasible([0.3, 0.101], torch.float32, **rows)


def test_nan_is_no_member() -> None:
    assert not feasible([float("nan"), 0.0], G=[[1.0, 1.0]], h=[1.0], integer=np.array([False, True]))
