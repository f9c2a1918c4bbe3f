"""Functions that decide: shapes, features, and mistakes that are told."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffcomb import DecisionLayer, RegretLoss
from diffcomb.errors import DecisionError, InvalidInstanceError, UnsupportedError
from diffcomb.losses import SPOPlusLoss
from diffcomb.problems import BlackBox, ShortestPath

GRID = ShortestPath.grid(3, 3)


def path_batch(costs: np.ndarray) -> np.ndarray:
    return GRID.solve(torch.from_numpy(costs)).decision.numpy()


def cheapest(cost: np.ndarray) -> np.ndarray:
    """One row: the cheapest single item."""
    z = np.zeros_like(cost)
    z[cost.argmin()] = 1.0
    return z


def test_a_function_of_batches_decides_as_the_problem_it_wraps() -> None:
    """Decisions, values, dtype and single vectors as for any problem; believed, not proven."""
    problem, costs = BlackBox(GRID.num_costs, path_batch), GRID.random_costs(6).float()
    found, wanted = problem.solve(costs), GRID.solve(costs)
    torch.testing.assert_close(found.decision, wanted.decision)
    torch.testing.assert_close(found.value, wanted.value)
    assert "optimal" not in str(found.status)
    assert bool(torch.isinf(found.bound).all())
    assert problem.solve(costs[0]).decision.shape == costs[0].shape


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_a_function_of_one_row_is_called_row_by_row(batch: int) -> None:
    """Also where it would run on a batch and answer nonsense."""
    problem = BlackBox(3, cheapest)
    costs = torch.from_numpy(np.random.default_rng(batch).normal(size=(batch, 3)))
    for _ in range(2):
        found = problem.solve(costs)
        torch.testing.assert_close(found.value, costs.min(dim=1).values)


def test_theta_may_weigh_features_beside_a_known_cost() -> None:
    """Choose a number y in 0..4 at theta'(y, y^2) + |y - 3|: objective, decision and gradient."""
    choices = np.arange(5.0)[:, None]

    def features(y):
        return torch.cat([y, y.square()], dim=1)

    def known(y):
        return (y[:, 0] - 3).abs()

    def decide(costs):
        values = costs @ np.concatenate([choices, choices**2], axis=1).T + np.abs(choices[:, 0] - 3)
        return choices[values.argmin(axis=1)]

    problem = BlackBox(2, decide, features, known)
    theta = torch.tensor([[-2.0, 0.3], [0.5, 0.1], [-0.2, 0.0]], dtype=torch.float64)
    found = problem.solve(theta)
    assert found.decision[:, 0].tolist() == [3.0, 2.0, 3.0]
    assert problem.num_vars == 1
    torch.testing.assert_close(found.value, problem.objective(found.decision, theta))
    torch.testing.assert_close(
        problem.value_gradient(found.decision, theta), features(found.decision).to(theta)
    )
    assert found.value[0].item() == pytest.approx(-2 * 3 + 0.3 * 9)


def test_an_answer_worse_than_an_earlier_one_is_the_functions_mistake() -> None:
    """A function that maximises: its second answer is worse than its first at the second's costs."""
    problem = BlackBox(3, lambda costs: np.eye(3)[costs.argmax(axis=1)])
    problem.solve(torch.tensor([[1.0, 2.0, 3.0]]))
    with pytest.raises(DecisionError, match=r"value 2 for row 0, .* has 1 for the same costs"):
        problem.solve(torch.tensor([[0.0, 2.0, 1.0]]))


def test_rounding_is_no_mistake() -> None:
    """Ties within floating point, in costs of 1e9, pass."""
    problem = BlackBox(2, lambda costs: np.eye(2)[np.zeros(len(costs), dtype=int) + (costs[:, 0] > 2e9)])
    problem.solve(torch.tensor([[3e9, 1.0]], dtype=torch.float64))
    problem.solve(torch.tensor([[1e9, 1e9 * (1 - 1e-13)]], dtype=torch.float64))


@pytest.mark.parametrize(
    ("decide", "message"),
    [
        (lambda costs: np.zeros((len(costs), 5)), "length 5, expected 3; give features"),
        (lambda costs: np.full(costs.shape, np.nan), "returned nan in row 0, entry 0"),
        (lambda costs: None, "decide must return|decide failed"),
        (lambda costs: np.zeros((1, 1, 1)), "shape"),
        (lambda costs: [][0], "decide failed with IndexError"),
        (lambda costs: "path", "decide failed with ValueError"),
    ],
)
def test_what_is_no_decision_is_said(decide, message: str) -> None:
    """A wrong shape, a NaN, nothing, an exception: one sentence."""
    with pytest.raises(DecisionError, match=message):
        BlackBox(3, decide).solve(torch.ones(2, 3))


def test_wrong_features_are_said() -> None:
    with pytest.raises(DecisionError, match=r"features must return shape \(2, 3\)"):
        BlackBox(3, lambda costs: costs * 0, features=lambda z: z[:, :2]).solve(torch.ones(2, 3))


def test_the_function_may_write_into_its_costs() -> None:
    """What it does to them is its own affair."""

    def decide(costs):
        costs *= 0
        return costs

    theta = torch.ones(2, 3, dtype=torch.float64)
    BlackBox(3, decide).solve(theta)
    assert bool((theta == 1).all())


def test_nothing_but_the_function_is_known() -> None:
    """No rows, no length of decisions before the first one, no problem without a function."""
    problem = BlackBox(3, cheapest, features=lambda z: z)
    with pytest.raises(UnsupportedError, match="vertices"):
        problem.polytope()
    with pytest.raises(UnsupportedError, match="decide first"):
        _ = problem.num_vars
    with pytest.raises(InvalidInstanceError, match="function"):
        BlackBox(3, "dijkstra")
    with pytest.raises(InvalidInstanceError, match="num_costs"):
        BlackBox(0, cheapest)
    assert problem.solve(torch.zeros(0, 3)).decision.shape == (0, 3)


def test_a_layer_works_from_decisions_alone() -> None:
    """The gradient of the relaxed decision over the hull of what the function returns, as with rows."""
    costs = GRID.random_costs(4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    gradients = []
    for problem in (BlackBox(GRID.num_costs, path_batch), GRID):
        layer = DecisionLayer(problem, rho=0.15)
        (gradient,) = torch.autograd.grad(RegretLoss(layer)(costs, costs.detach()), costs)
        gradients.append(gradient)
    assert layer.last.face_dimension.max() > 0
    torch.testing.assert_close(*gradients)


def test_features_train_by_losses_that_ask_the_function_alone() -> None:
    """SPO+ has the gradient 2 (g(z) - g(w)); the layer's own gradient is refused in words."""

    def features(y):
        return torch.stack([y[:, 0], y[:, 1], y[:, 0] * y[:, 1]], dim=1)

    choices = torch.cartesian_prod(torch.arange(3.0), torch.arange(3.0)).double()
    problem = BlackBox(3, lambda c: choices[(c @ features(choices).numpy().T).argmin(1)].numpy(), features)
    costs = torch.tensor([[1.0, -2.0, 0.3]], dtype=torch.float64)
    theta = torch.tensor([[-1.0, 1.0, -0.2]], dtype=torch.float64, requires_grad=True)
    z, w = problem.solve(costs).decision, problem.solve(2 * theta.detach() - costs).decision
    (gradient,) = torch.autograd.grad(SPOPlusLoss(DecisionLayer(problem))(theta, costs, z), theta)
    torch.testing.assert_close(gradient, 2 * (features(z) - features(w)))
    with pytest.raises(UnsupportedError, match="SPOPlusLoss"):
        DecisionLayer(problem)(theta).sum().backward()
