"""The pool of decisions: distinct, bounded, re-solved at its rate."""

import pytest
import torch

from diffcomb.errors import UnsupportedError
from diffcomb.losses import NCELoss, SolutionPool
from diffcomb.oracles import Limits
from diffcomb.problems import Assignment
from diffcomb.relaxations import ExactDecision
from tests.registry import all_decisions, make_problem, seeded


def test_members_are_distinct_and_the_oldest_makes_place():
    """Adding twice changes nothing; beyond the capacity the latest decisions are kept."""
    problem, members = make_problem("assignment"), all_decisions("assignment")
    pool = SolutionPool(problem, capacity=5)
    assert pool.add(torch.cat([members[:3], members[:3]])) == 3
    assert pool.add(members[:3]) == 0
    torch.testing.assert_close(torch.unique(pool.members(), dim=0), torch.unique(members[:3], dim=0))
    for member in members[3:7]:
        assert pool.add(member[None]) == 1
    assert len(pool) == 5
    kept = {tuple(row) for row in pool.members().tolist()}
    assert {tuple(row) for row in members[3:7].tolist()} <= kept
    assert pool.add(members) <= 24
    assert len(pool) == 5


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_resolve_rate_is_the_share_of_oracle_calls(rate):
    """Binomial over 2000 instances, within 4 standard deviations; what was solved is in the pool."""
    problem = Assignment(3)
    pool = SolutionPool(problem, resolve_rate=rate, seed=1)
    theta = problem.random_costs(100, generator=seeded())
    given = problem.solve(theta[:1]).decision
    calls = sum(pool.update(theta, given, Limits()) for _ in range(20))
    assert abs(calls - 2000 * rate) <= 4 * (2000 * rate * (1 - rate)) ** 0.5
    expected = problem.solve(theta).decision if rate else given
    assert len(pool) == len(torch.unique(expected, dim=0))


def test_a_pool_belongs_to_one_problem():
    """Lists of different problems are refused, and an empty pool in evaluation."""
    problem = Assignment(3)
    with pytest.raises(UnsupportedError, match="one problem"):
        NCELoss(ExactDecision([problem, Assignment(4)]))
    theta = problem.random_costs(2, generator=seeded())
    with pytest.raises(UnsupportedError, match="training mode"):
        NCELoss(ExactDecision(problem)).eval()(theta, theta, problem.solve(theta).decision)
