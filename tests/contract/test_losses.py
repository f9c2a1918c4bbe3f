"""What every loss promises: supervision checked, lists, checkpoints, copies, units, dtypes, empty batches."""

import copy
import io
import pickle

import pytest
import torch

from diffcomb.errors import DiffcombError, InvalidCostsError
from diffcomb.problems import Assignment, ShortestPath
from tests.contract.caches import caches_of
from tests.losses.cases import data, gradient_of
from tests.registry import ALL_LOSSES, GRADIENT_DEGREES, seeded

#: same inputs, same value: no noise of their own
_DETERMINISTIC = (
    "regret",
    "smoothed_spo_plus",
    "spo_plus",
    "perturbation_gradient",
    "cost_error",
    "optimal_value",
)
#: linear in the objective, so that three times the objective is three times the gradient
_LINEAR = (
    "regret",
    "fenchel_young",
    "smoothed_spo_plus",
    "spo_plus",
    "perturbed_fenchel_young",
    "perturbed_spo_plus",
    "perturbation_gradient",
    "score_function",
    "nce",
    "cmap",
)


def _supervision(loss, costs, z):
    fields = {"costs": costs, "decisions": z}
    return [fields[name] for name in loss.needs]


@pytest.mark.parametrize("name", ALL_LOSSES)
def test_a_list_of_vectors_costs_the_same_as_the_batch(name):
    """Vectors of one problem given as a list are regrouped into one block; names do for positions."""
    problem, theta, costs, z = data("assignment")
    first, second, third = (ALL_LOSSES[name](problem) for _ in range(3))
    supervision = _supervision(first, costs, z)
    expected = first(theta, *supervision)
    torch.testing.assert_close(second(list(theta), *(list(s) for s in supervision)), expected)
    words = {"costs": "costs", "decisions": "z_true"}
    named = {words[field]: s for field, s in zip(first.needs, supervision, strict=True)}
    torch.testing.assert_close(third(theta, **named), expected)


@pytest.mark.parametrize("name", ALL_LOSSES)
def test_training_goes_on_after_a_checkpoint(name):
    """Noise, pools, networks and optimisers are in the state_dict: the next gradient is the same."""
    problem, theta, costs, z = data("assignment")
    first = ALL_LOSSES[name](problem)
    supervision = _supervision(first, costs, z)
    gradient_of(first, theta, *supervision)
    buffer = io.BytesIO()
    torch.save(first.state_dict(), buffer)
    buffer.seek(0)
    resumed = ALL_LOSSES[name](problem)
    resumed.load_state_dict(torch.load(buffer, weights_only=True))
    torch.testing.assert_close(
        gradient_of(resumed, theta, *supervision), gradient_of(first, theta, *supervision)
    )


@pytest.mark.parametrize("name", ALL_LOSSES)
def test_copies_and_pickles_go_on_alike(name):
    """deepcopy and pickle of a used loss give its next gradient."""
    problem, theta, costs, z = data("assignment")
    loss = ALL_LOSSES[name](problem)
    supervision = _supervision(loss, costs, z)
    gradient_of(loss, theta, *supervision)
    others = [copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))]
    expected = gradient_of(loss, theta, *supervision)
    for other in others:
        torch.testing.assert_close(gradient_of(other, theta, *supervision), expected)


@pytest.mark.parametrize("name", ALL_LOSSES)
def test_single_vectors_and_float32(name):
    """A batch of one costs the same as its single vector; float32 in, float32 gradient out."""
    problem, theta, costs, z = data("assignment")
    losses = [ALL_LOSSES[name](problem) for _ in range(2)]
    supervision = _supervision(losses[0], costs.float(), z.float())
    batch = losses[0](theta[:1].float(), *(s[:1] for s in supervision))
    leaf = theta[0].float().requires_grad_()
    single = losses[1](leaf, *(s[0] for s in supervision))
    torch.testing.assert_close(batch, single)
    single.backward()
    assert leaf.grad.dtype == torch.float32
    assert bool(torch.isfinite(leaf.grad).all())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", ALL_LOSSES)
def test_low_precision_is_computed_in_float64(name, dtype):
    """The value is that of the same numbers in float64, though float16 cannot add them up; the gradient has
    the dtype of theta."""
    problem, theta, costs, _ = data("assignment")
    theta, costs = ((20_000 * t).to(dtype) for t in (theta, costs))
    z = problem.solve(costs).decision
    low, full = ALL_LOSSES[name](problem).to(dtype), ALL_LOSSES[name](problem)
    leaf = theta.clone().requires_grad_()
    value = low(leaf, *_supervision(low, costs, z))
    expected = full(theta.double().requires_grad_(), *_supervision(full, costs.double(), z.double()))
    torch.testing.assert_close(value, expected.float(), rtol=1e-5, atol=1e-5)
    value.backward()
    assert leaf.grad.dtype == dtype


@pytest.mark.parametrize("name", ALL_LOSSES)
def test_an_empty_batch_costs_nothing(name):
    """0 with a graph, as a batch and as a list, and the state is left alone."""
    problem = Assignment(3)
    loss = ALL_LOSSES[name](problem)
    before = copy.deepcopy(loss.state_dict())
    empty = torch.zeros(0, 9, dtype=torch.float64)
    leaf = empty.clone().requires_grad_()
    value = loss(leaf, *_supervision(loss, empty, empty))
    value.backward()
    assert float(value.detach()) == 0
    assert leaf.grad.shape == (0, 9)
    if name != "log_cost_error":
        nothing = loss([], *([] for _ in loss.needs))
        nothing.backward()
        assert float(nothing.detach()) == 0
    after = loss.state_dict()
    assert all(
        torch.equal(v, after[k]) for k, v in before.items() if isinstance(v, torch.Tensor) and k != "done"
    )


@pytest.mark.parametrize("name", [name for name in ALL_LOSSES if name != "staged"])
def test_supervision_that_does_not_fit_is_refused(name):
    """Shapes that would broadcast, whole numbers, NaN, and a decision outside Z, each in words."""
    problem, theta, costs, z = data("assignment")
    loss = ALL_LOSSES[name](problem)
    good = _supervision(loss, costs, z)
    for place, field in enumerate(loss.needs):
        nan, wrong = good[place].clone(), good[place].clone()
        nan[1, 2] = torch.nan
        wrong[2] = 0
        bad = {
            "shape of theta": [good[place][:, :1], good[place][:1], good[place][0], torch.ones(1)],
            "floating point": [good[place].long()],
            "torch tensor": [None, "costs", 1.0],
            "finite|not in Z": [nan],
        }
        if field == "decisions":
            bad["row 2 is not in Z"] = [wrong]
        for words, cases in bad.items():
            for case in cases:
                given = [*good[:place], case, *good[place + 1 :]]
                with pytest.raises(InvalidCostsError, match="takes theta" if case is None else words):
                    loss(theta, *(g for g in given if g is not None))
    with pytest.raises(InvalidCostsError, match="takes theta"):
        loss(theta, *good, None, None)


@pytest.mark.parametrize("power", [-300, 300])
@pytest.mark.parametrize("name", ALL_LOSSES)
def test_units_of_costs_change_gradients_by_their_degree_alone(name, power):
    """Predictions and costs in units of 2^power, as exact as floating point is; see `GRADIENT_DEGREES`."""
    problem, theta, costs, z = data("assignment")
    unit = 2.0**power
    here, there = (ALL_LOSSES[name](problem) for _ in range(2))
    expected = gradient_of(here, theta, *_supervision(here, costs, z))
    found = gradient_of(there, unit * theta, *_supervision(there, unit * costs, z))
    degree = GRADIENT_DEGREES.get(name, 0)
    torch.testing.assert_close(found / unit**degree, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ALL_LOSSES)
def test_costs_too_large_to_add_up_are_refused_or_right(name):
    """Finite costs near the largest float64: a finite value and gradient, or a sentence; never NaN."""
    problem, theta, costs, z = data("assignment")
    loss = ALL_LOSSES[name](problem)
    for scale in (1e155, 1e200, 1e307):
        leaf = (theta / theta.amax() * scale).requires_grad_()
        try:
            value = loss(leaf, *_supervision(loss, costs / costs.amax() * scale, z))
            value.backward()
        except DiffcombError:
            continue
        assert bool(torch.isfinite(value) & torch.isfinite(leaf.grad).all())


class _Toll(ShortestPath):
    """Three times the cost of the path, and a toll of 5."""

    def objective(self, z, theta):
        return 3 * (z * theta).sum(-1) + 5


@pytest.mark.parametrize("name", _LINEAR)
def test_the_objective_is_the_problems_own(name):
    """Three times the objective, shifted by a toll, is three times the gradient."""
    plain, toll = ShortestPath.grid(3, 3), _Toll.grid(3, 3)
    theta, costs = (plain.random_costs(3, generator=seeded(k)) for k in (1, 2))
    z = plain.solve(costs).decision
    first, second = ALL_LOSSES[name](plain), ALL_LOSSES[name](toll)
    supervision = _supervision(first, costs, z)
    torch.testing.assert_close(
        gradient_of(second, theta, *supervision), 3 * gradient_of(first, theta, *supervision)
    )


@pytest.mark.parametrize("name", [name for name in ALL_LOSSES if name != "fenchel_young"])
def test_scenarios_count_by_their_mean(name):
    """Costs (batch, scenarios, n), as a batch, a vector or a list: the mean over scenarios, one z for all."""
    problem, theta, costs, _ = data("assignment")
    several = torch.stack([costs, 2 * costs, costs.flip(0)], 1)
    z = problem.solve(several.mean(1)).decision
    make = ALL_LOSSES[name]
    if "costs" not in make(problem).needs:
        return
    batch, listed = (make(problem) for _ in range(2))
    value = batch(theta, *_supervision(batch, several, z))
    as_list = listed(list(theta), *(list(s) for s in _supervision(listed, several, z)))
    torch.testing.assert_close(as_list, value)
    assert bool(torch.isfinite(gradient_of(batch, theta, *_supervision(batch, several, z))).all())
    if name in _DETERMINISTIC:
        each = [make(problem)(theta, *_supervision(batch, several[:, s], z)) for s in range(3)]
        torch.testing.assert_close(value, sum(each) / 3)
        one = make(problem)(theta[0], *_supervision(batch, several[0], z[0]))
        torch.testing.assert_close(
            one, sum(make(problem)(theta[0], *_supervision(batch, several[0, s], z[0])) for s in range(3)) / 3
        )


_OF_ONE_PROBLEM = ("nce", "cmap", "listwise", "pairwise", "pointwise", "learned_landscape")


@pytest.mark.parametrize("name", [name for name in ALL_LOSSES if name not in _OF_ONE_PROBLEM])
def test_many_problems_leave_bounded_caches(name):
    """More problem objects through one loss than a cache may hold: it holds no more than it may."""
    problems = [Assignment(2) for _ in range(5)]
    theta, costs = (list(Assignment(2).random_costs(5, generator=seeded(k))) for k in (1, 2))
    z = list(Assignment(2).solve(torch.stack(costs)).decision)
    loss = ALL_LOSSES[name](problems[0])
    assert caches_of(loss)
    for cache in caches_of(loss):
        cache.capacity = 3
    loss(theta, *_supervision(loss, costs, z), problems)
    assert all(len(cache) <= 3 for cache in caches_of(loss))


@pytest.mark.parametrize("name", _OF_ONE_PROBLEM)
def test_losses_that_learn_one_problem_refuse_others(name):
    """Pools and learned landscapes belong to the layer's problem."""
    first, second = Assignment(2), Assignment(2)
    loss = ALL_LOSSES[name](first)
    costs = first.random_costs(1, generator=seeded())
    with pytest.raises(DiffcombError, match="one problem"):
        loss([costs[0]], *_supervision(loss, [costs[0]], [first.solve(costs[0]).decision]), [second])
