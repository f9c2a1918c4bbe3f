"""Every oracle finds the brute-force optimum of every problem it supports."""

import pytest
import torch

from diffcomb.errors import UnknownNameError
from diffcomb.oracles import oracle_names
from tests.registry import PROBLEMS, all_decisions, make_problem, seeded

PAIRS = [
    (name, oracle)
    for name in PROBLEMS
    for oracle in ["auto", *oracle_names(make_problem(name), exact_only=True)]
]


@pytest.mark.parametrize(("name", "oracle"), PAIRS)
def test_decision_is_the_brute_force_optimum(name, oracle):
    """Value, bound and proof agree with the enumeration of Z; the decision is the unique optimum."""
    problem, members = make_problem(name), all_decisions(name)
    theta = problem.random_costs(4, generator=seeded())
    result = problem.solve(theta, oracle, num_workers=2)
    values = theta @ members.T
    assert str(result.status) == "optimal"
    assert bool(problem.is_feasible(result.decision).all())
    torch.testing.assert_close(result.value, values.min(-1).values, rtol=1e-9, atol=1e-9)
    assert torch.equal(result.decision, members[values.argmin(-1)])
    assert torch.equal(result.value, result.bound)


@pytest.mark.parametrize(("name", "oracle"), PAIRS)
def test_negative_costs_and_single_vectors(name, oracle):
    """Negated costs are solved as well, or refused in words; (n,) in, (n,) out, dtype kept."""
    problem, members = make_problem(name), all_decisions(name)
    theta = -problem.random_costs(generator=seeded(1), dtype=torch.float32)[0]
    if name == "shortest_path_cyclic" and oracle in ("auto", "shortest_path"):
        with pytest.raises(ValueError, match="negative"):
            problem.solve(theta, oracle)
        return
    result = problem.solve(theta, oracle)
    assert result.decision.shape == theta.shape
    assert result.decision.dtype == theta.dtype
    best = (theta.double() @ members.T).min()
    torch.testing.assert_close(result.value.double(), best, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", PROBLEMS)
def test_unknown_oracle_is_refused(name):
    """The message lists the oracles that exist."""
    problem = make_problem(name)
    with pytest.raises(UnknownNameError, match="highs"):
        problem.solve(problem.random_costs(generator=seeded()), "oracle_of_delphi")
