"""Regret means something where the optimum is nothing, and what it always did elsewhere."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from diffcomb.metrics import cost_unit, normalized_regret, relative_gap

COSTS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5)


def test_it_is_the_excess_over_the_optimum():
    """10 % too much is 0.1, also for negated gains, with and without the unit."""
    for sign in (1.0, -1.0):
        optimum = sign * torch.tensor([1.0, 2.0])
        cost = optimum + 0.1 * optimum.abs()
        torch.testing.assert_close(normalized_regret(cost, optimum), torch.tensor(0.1))
        torch.testing.assert_close(normalized_regret(cost, optimum, torch.ones(2)), torch.tensor(0.1))


def test_an_optimum_of_nothing_counts_typical_costs():
    """Jobs 3 and 1 late where all could be on time, durations of 2 on average: one typical cost each."""
    cost, optimum, costs = torch.tensor([3.0, 1.0]), torch.zeros(2), torch.tensor([[1.0, 3.0], [2.0, 2.0]])
    assert float(normalized_regret(cost, optimum, cost_unit(costs))) == 1.0
    rounded = torch.full((2,), 1e-8)
    torch.testing.assert_close(normalized_regret(cost, rounded, cost_unit(costs)), torch.tensor(1.0))


def test_nothing_at_all_is_no_regret():
    """An empty sack that was left empty: 0, not 0/0; without a unit, too much of nothing is all of it."""
    nothing = torch.zeros(3)
    assert float(normalized_regret(nothing, nothing)) == 0.0
    assert float(normalized_regret(nothing, nothing, nothing)) == 0.0
    assert float(normalized_regret(torch.tensor([2.0]), torch.tensor([1e-9]))) == 1.0
    assert relative_gap(0.0, 0.0, nothing) == 0.0


@given(COSTS, COSTS)
def test_it_is_finite_and_orders_decisions_as_their_cost(first, second):
    """Of two decisions on the same instances, the cheaper has the smaller regret; neither is NaN."""
    size = min(len(first), len(second))
    a, b = (torch.tensor(costs[:size], dtype=torch.float64) for costs in (first, second))
    for optimum in (torch.minimum(a, b), torch.zeros(size, dtype=torch.float64)):
        unit = torch.ones(size, dtype=torch.float64)
        regrets = [float(normalized_regret(cost, optimum, unit)) for cost in (a, b)]
        assert all(abs(regret) < float("inf") for regret in regrets)
        assert (regrets[0] <= regrets[1]) == (float(a.sub(optimum).sum()) <= float(b.sub(optimum).sum()))
