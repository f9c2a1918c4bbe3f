"""What every relaxation promises: exact decisions when judged, batches and lists, seeded noise, copies,
units, dtypes, empty batches, tensors of its own.
"""

import copy
import pickle

import pytest
import torch

from diffcomb import relaxations
from diffcomb.errors import DiffcombError
from diffcomb.oracles import Limits
from diffcomb.problems import Assignment, JobShop, Knapsack, TravelingSalesman
from tests.contract.caches import caches_of
from tests.registry import RELAXATIONS, seeded

PROBLEMS = [
    Assignment(3),
    TravelingSalesman(5),
    Knapsack([[3, 5, 2, 7, 4, 6], [4, 1, 6, 2, 3, 5]], [12, 9]),
]


def _gradient(layer, theta, weight):
    leaf = theta.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((layer(leaf) * weight).sum(), leaf)
    return gradient


def _example(problem=PROBLEMS[0], rows=3):
    """Costs and a gradient of the decision."""
    theta = problem.random_costs(rows, generator=seeded())
    return theta, torch.randn(theta.shape, generator=seeded(1), dtype=torch.float64)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("name", RELAXATIONS)
def test_decisions_without_gradient_are_the_oracles(name, problem):
    """Validation and test judge z*(theta), in the dtype of theta, for batches and single vectors."""
    layer = RELAXATIONS[name](problem)
    theta = problem.random_costs(4, generator=seeded(), dtype=torch.float32)
    decided = layer(theta)
    assert decided.dtype == torch.float32
    torch.testing.assert_close(decided, problem.solve(theta).decision)
    torch.testing.assert_close(layer(theta[0]), decided[0])


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("name", RELAXATIONS)
def test_training_decisions_lie_in_the_box_and_gradients_are_finite(name, problem):
    """In training the decision is in [0, 1]^n; a zero cost vector and a zero gradient give no NaN."""
    layer = RELAXATIONS[name](problem)
    theta = problem.random_costs(4, generator=seeded())
    theta[0] = 0
    weight = torch.randn(theta.shape, generator=seeded(1), dtype=torch.float64)
    weight[1] = 0
    leaf = theta.requires_grad_()
    x = layer(leaf)
    assert float(x.detach().min()) >= -1e-9
    assert float(x.detach().max()) <= 1 + 1e-9
    (x * weight).sum().backward()
    assert bool(torch.isfinite(leaf.grad).all())
    assert bool((leaf.grad[1] == 0).all())


@pytest.mark.parametrize("name", RELAXATIONS)
def test_noise_is_seeded_and_goes_on_after_a_checkpoint(name):
    """Two layers alike give equal gradients; a state_dict carries on where the first stopped."""
    problem = PROBLEMS[0]
    theta = problem.random_costs(3, generator=seeded())
    weight = torch.randn(theta.shape, generator=seeded(1), dtype=torch.float64)
    first, second = (RELAXATIONS[name](problem) for _ in range(2))
    torch.testing.assert_close(_gradient(first, theta, weight), _gradient(second, theta, weight))
    state = copy.deepcopy(first.state_dict())
    after = _gradient(first, theta, weight)
    resumed = RELAXATIONS[name](problem)
    resumed.load_state_dict(state)
    torch.testing.assert_close(_gradient(resumed, theta, weight), after)


@pytest.mark.parametrize("name", RELAXATIONS)
def test_lists_of_different_problems(name):
    """Each vector of a list is decided by its own problem, and gets a gradient of its own length."""
    problems = [PROBLEMS[0], PROBLEMS[1], PROBLEMS[0]]
    layer = RELAXATIONS[name](problems)
    thetas = [p.random_costs(1, generator=seeded(i))[0].requires_grad_() for i, p in enumerate(problems)]
    with torch.no_grad():
        for problem, theta, z in zip(problems, thetas, layer(thetas), strict=True):
            torch.testing.assert_close(z, problem.solve(theta).decision)
    sum((z * torch.arange(len(z))).sum() for z in layer(thetas)).backward()
    assert all(theta.grad.shape == theta.shape for theta in thetas)


@pytest.mark.parametrize("name", RELAXATIONS)
def test_what_cannot_be_decided_is_refused(name):
    """Costs that are NaN or too long, and job shops, whose decisions are not 0-1."""
    layer = RELAXATIONS[name](PROBLEMS[0])
    for bad in (torch.full((2, 9), torch.nan), torch.ones(2, 8)):
        with pytest.raises(DiffcombError):
            layer(bad.requires_grad_())
    shop = JobShop([[0, 1], [1, 0]])
    with pytest.raises(DiffcombError, match="JobShop"):
        RELAXATIONS[name](shop)(torch.ones(1, 4).requires_grad_())


@pytest.mark.parametrize("name", RELAXATIONS)
def test_an_empty_batch_has_no_decisions(name):
    """A batch of no rows, with a gradient of no rows; an empty list."""
    layer = RELAXATIONS[name](PROBLEMS[0])
    leaf = torch.zeros(0, 9, dtype=torch.float64, requires_grad=True)
    decided = layer(leaf)
    decided.sum().backward()
    assert decided.shape == leaf.grad.shape == (0, 9)
    assert layer([]) == []


@pytest.mark.parametrize("name", RELAXATIONS)
def test_copies_and_pickles_go_on_alike(name):
    """deepcopy and pickle of a used relaxation give its next gradient."""
    theta, weight = _example(PROBLEMS[1])
    layer = RELAXATIONS[name](PROBLEMS[1])
    _gradient(layer, theta, weight)
    others = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    expected = _gradient(layer, theta, weight)
    for other in others:
        torch.testing.assert_close(_gradient(other, theta, weight), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("form", ["batch", "vector", "list"])
@pytest.mark.parametrize("name", RELAXATIONS)
def test_costs_and_decisions_may_change_in_place(name, form, dtype):
    """Doubling the decisions in place is doubling them out of place, whatever became of the costs."""
    theta, weight = (t.to(dtype) for t in _example())
    gradients = []
    for in_place in (False, True):
        layer, leaf = RELAXATIONS[name](PROBLEMS[0]), theta.clone().requires_grad_()
        rows = [row.clone() for row in leaf]
        given = {"batch": 1.0 * leaf, "vector": rows[0], "list": rows}[form]
        decided = layer(given)
        decisions = decided if form == "list" else [decided]
        if in_place:
            with torch.no_grad():
                for costs in given if form == "list" else [given]:
                    costs.fill_(7.0)
            for decision in decisions:
                decision.mul_(2.0)
        else:
            decisions = [2.0 * decision for decision in decisions]
        sum(
            (d * w).sum() for d, w in zip(decisions, [weight] if form == "batch" else weight, strict=False)
        ).backward()
        gradients.append(leaf.grad)
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", RELAXATIONS)
def test_low_precision_is_computed_in_float64(name, dtype):
    """Decisions and gradients are those of the same numbers in float64, rounded; state is not cast."""
    theta, weight = (t.to(dtype) for t in _example())
    low, full = RELAXATIONS[name](PROBLEMS[0]).to(dtype), RELAXATIONS[name](PROBLEMS[0])
    found, expected = _gradient(low, theta, weight), _gradient(full, theta.double(), weight.double())
    assert found.dtype == dtype
    torch.testing.assert_close(found, expected.to(dtype), rtol=1e-2, atol=1e-3 * float(expected.abs().max()))
    decided = low(theta.requires_grad_())
    assert decided.dtype == dtype
    assert all(torch.equal(v, full.state_dict()[k]) for k, v in low.state_dict().items() if "draws" not in k)


@pytest.mark.parametrize("power", [-300, 300])
@pytest.mark.parametrize("name", [name for name in RELAXATIONS if not name.endswith("absolute")])
def test_gradients_shrink_with_the_unit_of_costs(name, power):
    """Costs in units of 2^power: the same decisions, gradients in units of 2^-power."""
    theta, weight = _example()
    unit = 2.0**power
    here, there = (RELAXATIONS[name](PROBLEMS[0]) for _ in range(2))
    expected = _gradient(here, theta, weight)
    torch.testing.assert_close(_gradient(there, unit * theta, weight) * unit, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", RELAXATIONS)
def test_costs_too_large_to_add_up_are_refused_or_right(name):
    """Finite costs near the largest float64: finite decisions and gradients, or a sentence; never NaN."""
    theta, weight = _example()
    for scale in (1e155, 1e200, 1e307):
        layer, leaf = RELAXATIONS[name](PROBLEMS[0]), (theta / theta.amax() * scale).requires_grad_()
        try:
            decided = layer(leaf)
            (decided * weight).sum().backward()
        except DiffcombError:
            continue
        assert bool(torch.isfinite(decided).all() & torch.isfinite(leaf.grad).all())


@pytest.mark.parametrize("name", RELAXATIONS)
def test_many_problems_leave_bounded_caches(name):
    """More problem objects than a cache may hold: it holds no more than it may."""
    problems = [Assignment(2) for _ in range(5)]
    layer = RELAXATIONS[name](problems)
    for cache in caches_of(layer):
        cache.capacity = 3
    thetas = list(Assignment(2).random_costs(5, generator=seeded()).requires_grad_())
    sum((z * torch.arange(4)).sum() for z in layer(thetas)).backward()
    assert all(len(cache) <= 3 for cache in caches_of(layer))


class _Counting:
    """The Hungarian oracle, noting within which limits it is asked."""

    name = "counting"

    def __init__(self):
        self.limits = set()

    def supports(self, problem):
        return True

    def solve(self, problem, costs, limits):
        self.limits.add(limits)
        return problem.oracles[0].solve(problem, costs, limits)


@pytest.mark.parametrize(
    "make", [relaxations.ExactDecision, relaxations.TwoStage, relaxations.SparseMAP, relaxations.IMLE]
)
def test_limits_reach_the_oracle_whole(make):
    """Oracle, time limit, workers and seed, in every call; an oracle alone has the default limits."""
    theta, weight = _example()
    for limits in (Limits(_Counting(), 7.5, 1, 3), Limits(_Counting())):
        asked = limits.oracle if limits.time_limit is None else limits
        layer = make(PROBLEMS[0], oracle=asked)
        (layer(theta.clone().requires_grad_()) * weight).sum()
        assert limits.oracle.limits == {limits}
