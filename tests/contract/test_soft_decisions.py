"""What every soft decision promises: relaxed in training, feasible when judged, seeded."""

import copy

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
