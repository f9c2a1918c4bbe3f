"""What every soft decision promises: relaxed in training, feasible when judged, seeded, in any unit."""

import copy
import pickle

import pytest
import torch

from diffcomb.errors import DiffcombError, UnsupportedError
from diffcomb.problems import ShortestPath
from tests.registry import SOFT_DECISIONS, seeded

CASES = [(name, problem) for name, (_, problems) in SOFT_DECISIONS.items() for problem in problems]
IDS = [f"{name}-{type(problem).__name__}" for name, problem in CASES]


def _build(name, problem):
    return SOFT_DECISIONS[name][0](problem)


@pytest.mark.parametrize(("name", "problem"), CASES, ids=IDS)
def test_judged_decisions_are_feasible_and_never_better_than_the_optimum(name, problem):
    """Batches and single vectors, in the dtype given, the same on every call, also in inference mode."""
    layer = _build(name, problem).eval()
    theta = problem.random_costs(3, generator=seeded(), dtype=torch.float32)
    with torch.inference_mode():
        z = layer(theta)
        again = layer(theta[1])
    assert z.dtype == torch.float32
    assert bool(problem.is_feasible(z).all())
    assert torch.equal(again, z[1])
    assert ((theta * z).sum(-1) >= problem.solve(theta).value - 1e-5).all()


@pytest.mark.parametrize(("name", "problem"), CASES, ids=IDS)
def test_training_decisions_lie_in_the_box_with_informative_gradients(name, problem):
    """x in [0, 1]^n, of the right sum for tours and permutations; gradients are finite and not all zero."""
    layer = _build(name, problem).train()
    theta = problem.random_costs(4, generator=seeded()).requires_grad_()
    x = layer(theta)
    (x * torch.randn(x.shape, generator=seeded(1), dtype=x.dtype)).sum().backward()
    assert float(x.detach().min()) >= -1e-9
    assert float(x.detach().max()) <= 1 + 1e-6
    assert bool(torch.isfinite(theta.grad).all())
    assert float(theta.grad.abs().max()) > 0
    assert int(layer.calls) == 1


@pytest.mark.parametrize("name", SOFT_DECISIONS)
def test_noise_is_seeded_and_goes_on_after_a_checkpoint(name):
    """Two layers alike agree; a state_dict carries on where the first stopped."""
    problem = SOFT_DECISIONS[name][1][0]
    theta = problem.random_costs(2, generator=seeded()).requires_grad_()
    first, second = _build(name, problem).train(), _build(name, problem).train()
    assert torch.equal(first(theta), second(theta))
    resumed = _build(name, problem).train()
    resumed.load_state_dict(copy.deepcopy(first.state_dict()))
    assert torch.equal(first(theta), resumed(theta))


@pytest.mark.parametrize("name", SOFT_DECISIONS)
def test_what_cannot_be_decided_is_refused_in_one_sentence(name):
    """NaN costs, and a problem the method does not know, with those it does."""
    build, problems = SOFT_DECISIONS[name]
    with pytest.raises(UnsupportedError, match=f"only to .*{type(problems[0]).__name__}"):
        build(ShortestPath.grid(3, 3))
    with pytest.raises(DiffcombError):
        build(problems[0])(torch.full((1, problems[0].num_costs), torch.nan))


@pytest.mark.parametrize("name", SOFT_DECISIONS)
def test_lists_of_problems(name):
    """Each vector of a list is decided by its own problem."""
    build, problems = SOFT_DECISIONS[name]
    several = [problems[0], problems[-1]]
    thetas = [p.random_costs(1, generator=seeded(i))[0] for i, p in enumerate(several)]
    for problem, z in zip(several, build(several).eval()(thetas), strict=True):
        assert bool(problem.is_feasible(z))


def _gradient(layer, theta):
    leaf = theta.clone().requires_grad_()
    weight = torch.randn(theta.shape, generator=seeded(1), dtype=torch.float64).to(theta.dtype)
    (gradient,) = torch.autograd.grad((layer(leaf) * weight).sum(), leaf)
    return gradient


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", SOFT_DECISIONS)
def test_an_empty_batch_has_no_decisions(name, training):
    """A batch of no rows, with a gradient of no rows; an empty list."""
    problem = SOFT_DECISIONS[name][1][0]
    layer = _build(name, problem).train(training)
    leaf = torch.zeros(0, problem.num_costs, requires_grad=True)
    layer(leaf).sum().backward()
    assert leaf.grad.shape == (0, problem.num_costs)
    assert layer([]) == []


@pytest.mark.parametrize("name", SOFT_DECISIONS)
def test_copies_and_pickles_go_on_alike(name):
    """deepcopy and pickle of a used method give its next gradient."""
    problem = SOFT_DECISIONS[name][1][0]
    theta = problem.random_costs(2, generator=seeded())
    layer = _build(name, problem).train()
    _gradient(layer, theta)
    others = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    expected = _gradient(layer, theta)
    for other in others:
        torch.testing.assert_close(_gradient(other, theta), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", SOFT_DECISIONS)
def test_low_precision_is_computed_in_float64(name, dtype):
    """Soft and judged decisions are those of the same numbers in float64, rounded."""
    problem = SOFT_DECISIONS[name][1][0]
    theta = problem.random_costs(2, generator=seeded()).to(dtype)
    low, full = _build(name, problem).to(dtype), _build(name, problem)
    for training in (True, False):
        found, expected = low.train(training)(theta), full.train(training)(theta.double())
        assert found.dtype == dtype
        torch.testing.assert_close(found, expected.to(dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", SOFT_DECISIONS)
def test_decisions_may_change_in_place(name, dtype):
    """Doubling the soft decision in place is doubling it out of place."""
    problem = SOFT_DECISIONS[name][1][0]
    theta = problem.random_costs(2, generator=seeded()).to(dtype)
    first, second = _build(name, problem).train(), _build(name, problem).train()
    torch.testing.assert_close(
        _gradient(lambda t: first(t).mul_(2.0), theta), _gradient(lambda t: 2.0 * second(t), theta)
    )


@pytest.mark.parametrize("power", [-300, 300])
@pytest.mark.parametrize("name", SOFT_DECISIONS)
def test_soft_decisions_do_not_depend_on_the_unit_of_costs(name, power):
    """Temperatures are in units of mean|theta|."""
    problem = SOFT_DECISIONS[name][1][0]
    theta, unit = problem.random_costs(2, generator=seeded()), 2.0**power
    here, there = _build(name, problem).train(), _build(name, problem).train()
    torch.testing.assert_close(there(unit * theta), here(theta), rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(there.eval()(unit * theta), here.eval()(theta))
