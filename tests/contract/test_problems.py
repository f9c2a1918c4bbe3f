"""Every problem keeps the promises of `Problem`."""

import numpy as np
import pytest
import torch

from diffcomb.errors import InvalidCostsError
from tests.registry import PROBLEMS, all_decisions, make_problem, seeded

pytestmark = pytest.mark.parametrize("name", PROBLEMS)


def test_random_costs_are_valid_and_seeded(name):
    """The same generator gives the same finite costs, of the right shape and dtype."""
    problem = make_problem(name)
    first = problem.random_costs(3, generator=seeded(), dtype=torch.float32)
    assert first.shape == (3, problem.num_costs)
    assert first.dtype == torch.float32
    assert torch.equal(first, problem.random_costs(3, generator=seeded(), dtype=torch.float32))
    problem.check_costs(first)


def test_polytope_contains_z_and_no_other_binary_point(name):
    """A 0-1 point satisfies all rows, lazy ones included, exactly when it is in Z."""
    problem, members = make_problem(name), all_decisions(name)
    polytope = problem.polytope()
    inside = {tuple(z) for z in members.numpy().astype(int)}
    assert inside
    for z in members.numpy()[:200]:
        assert np.abs(polytope.A @ z - polytope.b).max(initial=0) < 1e-12
        assert (polytope.G @ z - polytope.h).max(initial=-1) < 1e-12
        assert len(problem.lazy_rows(z)) == 0
    rng = np.random.default_rng(0)
    for z in rng.integers(0, 2, (2000, problem.num_costs)).astype(float):
        known = np.abs(polytope.A @ z - polytope.b).max(initial=0) < 1e-9
        known = known and (polytope.G @ z - polytope.h).max(initial=-1) < 1e-9
        assert (known and len(problem.lazy_rows(z)) == 0) == (tuple(z.astype(int)) in inside)


def test_objective_and_feasibility_are_batched(name):
    """A single vector and a batch of it give the same answers."""
    problem, members = make_problem(name), all_decisions(name)
    theta = problem.random_costs(generator=seeded())[0]
    z = members[:2]
    assert problem.objective(z, theta).shape == (2,)
    assert bool(problem.is_feasible(z[0]))
    assert problem.is_feasible(z).tolist() == [True, True]
    assert not bool(problem.is_feasible(members[-1] * 0.5))


def test_cost_graph_has_one_edge_per_cost(name):
    """Encoders predict one number per edge of the cost graph."""
    problem = make_problem(name)
    graph = problem.cost_graph()
    assert graph.edge_index.shape == (2, problem.num_costs)
    assert int(graph.edge_index.max()) < graph.num_nodes


@pytest.mark.parametrize("bad", ["nan", "inf", "length", "integers", "three dimensions"])
def test_bad_costs_are_refused_in_one_sentence(name, bad):
    """NaN, infinity, wrong length, dtype or rank never reach a solver."""
    problem = make_problem(name)
    theta = problem.random_costs(2, generator=seeded())
    if bad in ("nan", "inf"):
        theta[1, 0] = float(bad)
    theta = {"length": theta[:, :-1], "integers": theta.long(), "three dimensions": theta[None]}.get(
        bad, theta
    )
    with pytest.raises(InvalidCostsError, match="osts"):
        problem.solve(theta)
