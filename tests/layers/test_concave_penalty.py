"""The concave penalty: its theorem, its trap, and what the convex-concave procedure keeps."""

import numpy as np
import pytest
import torch

from diffcomb.errors import UnsupportedError
from diffcomb.layers import concave_penalty
from diffcomb.problems import Assignment, Knapsack
from diffcomb.projection import penalty
from tests.jobshop_cases import random_shop
from tests.registry import PROBLEMS, all_decisions, make_problem, seeded

WEIGHTS, CAPACITY = np.array([3.0, 5, 2, 7, 4, 6, 1, 5]), 16.5


def _vertices() -> tuple[np.ndarray, np.ndarray]:
    """Binary and fractional vertices of one knapsack row: at most one coordinate lies between 0 and 1."""
    binary = (np.arange(2**8)[:, None] >> np.arange(8) & 1).astype(float)
    members = binary[binary @ WEIGHTS <= CAPACITY]
    fractional = []
    for z in members:
        for i in np.flatnonzero(z == 0):
            filled = (CAPACITY - z @ WEIGHTS) / WEIGHTS[i]
            if 0 < filled < 1:
                v = z.copy()
                v[i] = filled
                fractional.append(v)
    return members, np.array(fractional)


def _value(x: np.ndarray, theta: np.ndarray, rho: float) -> np.ndarray:
    return x @ theta + 0.5 * rho * (x * (1 - x)).sum(-1)


@pytest.mark.parametrize("seed", range(4))
def test_the_global_minimiser_is_exact_above_rho_min_and_fractional_below(seed):
    """Over all vertices of a knapsack: z* wins at 1.01 rho_min, a fractional vertex at 0.99 rho_min."""
    theta = Knapsack(WEIGHTS, CAPACITY).random_costs(generator=seeded(seed))[0].numpy()
    members, fractional = _vertices()
    z = members[(members @ theta).argmin()]
    phi = (fractional * (1 - fractional)).sum(-1)
    rho_min = max(0.0, (2 * (z @ theta - fractional @ theta) / phi).max())
    assert rho_min > 0
    for factor, exact in ((1.01, True), (0.99, False)):
        best = _value(fractional, theta, factor * rho_min).min()
        assert (_value(z, theta, factor * rho_min) < best) == exact


def test_a_large_rho_freezes_every_member():
    """The trap: at rho > 2 max|theta| the procedure started at any member of Z returns that member."""
    problem = Knapsack(WEIGHTS, CAPACITY)
    members = torch.from_numpy(_vertices()[0])[::7]
    theta = problem.random_costs(generator=seeded()).expand(len(members), -1)
    frozen = concave_penalty(problem, theta, [2.01 * float(theta.abs().max())], start=members)
    assert torch.equal(frozen.decision, members)
    assert int(frozen.exact.sum()) < len(members)


@pytest.mark.parametrize("name", PROBLEMS)
def test_it_ends_at_a_vertex_and_knows_whether_that_is_the_optimum(name):
    """`exact` agrees with enumeration; where X = conv(Z) the answer is z* for every rho."""
    problem, members = make_problem(name), all_decisions(name)
    theta = problem.random_costs(4, generator=seeded(3))
    found = concave_penalty(problem, theta)
    best = (theta @ members.T).min(-1).values
    member = (found.decision[:, None] - members).abs().amax(-1).amin(-1) <= 1e-6
    assert torch.equal(found.binary, member)
    reached = member & (problem.objective(found.decision, theta) <= best + 1e-9)
    assert torch.equal(found.exact, reached)
    if problem.polytope().integral:
        assert bool(found.exact.all())


def test_the_objective_never_increases():
    """At a given rho the end is not worse than the start, for random feasible starts."""
    problem = Knapsack(WEIGHTS, CAPACITY)
    theta = problem.random_costs(8, generator=seeded(1))
    start = 0.4 * torch.rand(8, 8, generator=seeded(2), dtype=torch.float64)
    for rho in (0.1, 2.0, 10.0):
        end = concave_penalty(problem, theta, [rho], start=start).decision
        before, after = (problem.objective(x, theta) - rho * penalty(x) for x in (start, end))
        assert bool((after <= before + 1e-9).all())


def test_single_vectors_and_refusals():
    """(n,) in, (n,) out; decreasing rhos and schedules are refused in words."""
    theta = Assignment(3).random_costs(generator=seeded())[0]
    assert concave_penalty(Assignment(3), theta).decision.shape == (9,)
    with pytest.raises(UnsupportedError, match="increasing"):
        concave_penalty(Assignment(3), theta, [2.0, 1.0])
    shop, durations = random_shop(2, 2)
    with pytest.raises(UnsupportedError, match="0-1"):
        concave_penalty(shop, durations)
