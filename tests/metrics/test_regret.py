"""One definition of normalised regret, also where optimal decisions cost nothing."""

import pytest
import torch

from diffcomb.errors import InvalidCostsError
from diffcomb.metrics import normalized_regret, regret_unit


def test_ordinary_regret_is_the_ratio_of_sums():
    """10 % of all optima together; negative optima (gains) count by their size; dtypes are kept."""
    cost, optimum = torch.tensor([1.1, 2.2]), torch.tensor([1.0, 2.0])
    torch.testing.assert_close(normalized_regret(cost, optimum), torch.tensor(0.1))
    torch.testing.assert_close(normalized_regret(-optimum, -cost), torch.tensor(0.3 / 3.3))
    assert normalized_regret(cost.double(), optimum.double()).dtype == torch.float64


def test_optima_of_zero_have_a_finite_regret():
    """0 where nothing was lost; all of the cost without a measure; in units of what is at stake with one."""
    zero, cost = torch.zeros(3), torch.tensor([0.0, 2.0, 4.0])
    assert float(normalized_regret(zero, zero)) == 0
    assert float(normalized_regret(cost, zero)) == 1
    at_stake = torch.full((3,), 10.0)
    torch.testing.assert_close(normalized_regret(cost, zero, at_stake), torch.tensor(0.2))
    torch.testing.assert_close(normalized_regret(cost / 2, zero, at_stake), torch.tensor(0.1))


def test_optima_that_are_rounding_count_as_zero():
    """1e-7 of tardiness is no unit for a regret of 100; an optimum of a thousandth is one."""
    cost = torch.tensor([100.0], dtype=torch.float64)
    noise, small = torch.full_like(cost, 1e-7), torch.full_like(cost, 0.1)
    assert float(normalized_regret(cost, noise)) == pytest.approx(1, abs=1e-8)
    assert float(normalized_regret(cost, small)) == pytest.approx(999)
    assert float(regret_unit(cost, noise, at_stake=cost / 2)) == 50


def test_what_has_no_regret_is_said():
    """No instances: 0. A decision of infinite cost: infinite. NaN, or another shape: refused."""
    assert float(normalized_regret(torch.zeros(0), torch.zeros(0))) == 0
    assert float(normalized_regret(torch.tensor([torch.inf]), torch.ones(1))) == torch.inf
    with pytest.raises(InvalidCostsError, match="NaN"):
        normalized_regret(torch.tensor([torch.nan]), torch.ones(1))
    with pytest.raises(InvalidCostsError, match="shapes"):
        normalized_regret(torch.ones(4, 1), torch.ones(4))


def test_half_precision_sums_do_not_overflow():
    """300 costs of 5000 are more than float16 can add up."""
    optimum = torch.full((300,), 5000.0, dtype=torch.float16)
    found = normalized_regret(optimum * 1.5, optimum)
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(0.5)
