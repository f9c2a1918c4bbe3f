"""cvxpy problems: predicted parameters in costs and rows, decisions as the user's variables."""

from __future__ import annotations

from collections.abc import Callable

import cvxpy as cp
import numpy as np
import pytest
import torch

from diffcomb import DecisionLayer
from diffcomb.errors import InfeasibleError, InvalidCostsError, InvalidInstanceError, UnsupportedError
from diffcomb.problems import MixedIntegerProgram
from tests.reference import decide

Case = tuple[cp.Problem, list[cp.Parameter]]


def facilities() -> Case:
    """Open plants and ship; costs predicted, in a matrix."""
    cost, demand = cp.Parameter((3, 4), name="cost", nonneg=True), np.array([2.0, 3.0, 1.0, 2.5])
    opened, shipped = cp.Variable(3, boolean=True, name="open"), cp.Variable((3, 4), nonneg=True, name="ship")
    rows = [cp.sum(shipped, axis=0) >= demand, cp.sum(shipped, axis=1) <= 6 * opened]
    goal = cp.sum(cp.multiply(cost, shipped)) + np.array([4.0, 5.0, 3.0]) @ opened + 10
    return cp.Problem(cp.Minimize(goal), rows), [cost]


def predicted_rows() -> Case:
    """A maximisation with parameters in costs, right-hand sides, coefficients and the constant."""
    price, room, use = cp.Parameter(4, name="price"), cp.Parameter(nonneg=True, name="room"), cp.Parameter(4)
    made, extra = cp.Variable(4, integer=True, name="made"), cp.Variable(name="extra")
    rows = [made >= 0, made <= 5, use @ made <= room + extra, extra >= 0, extra <= 1, made[0] == made[1]]
    goal = price @ made - 2 * extra - 3 * cp.abs(made[2] - 1.5) + room
    return cp.Problem(cp.Maximize(goal), rows), [price, room, use]


def portfolio() -> Case:
    """Convex quadratic, risk aversion predicted with the returns, at most two assets."""
    gain, aversion = cp.Parameter(4, name="gain"), cp.Parameter(nonneg=True, name="aversion")
    factor = np.random.default_rng(0).normal(size=(4, 4))
    held, chosen = cp.Variable(4, name="held"), cp.Variable(4, boolean=True)
    rows = [cp.sum(held) == 1, held >= 0, held <= chosen, cp.sum(chosen) <= 2]
    risk = cp.quad_form(held, factor @ factor.T)
    return cp.Problem(cp.Minimize(aversion * risk - gain @ held), rows), [gain, aversion]


CASES: dict[str, Callable[[], Case]] = {
    "facilities": facilities,
    "predicted_rows": predicted_rows,
    "portfolio": portfolio,
}


def drawn(parameters: list[cp.Parameter], seed: int) -> np.ndarray:
    """Values for all parameters, set in place; theta, row by row."""
    rng = np.random.default_rng(seed)
    for parameter in parameters:
        value = rng.normal(size=parameter.shape) + 2.0
        parameter.value = np.abs(value) if parameter.is_nonneg() else value
    return np.concatenate([np.ravel(parameter.value) for parameter in parameters])


@pytest.mark.parametrize("name", CASES)
def test_optimal_values_are_those_of_cvxpy(name: str) -> None:
    """For five predictions, value and decision are those cvxpy finds with the parameters set to them."""
    model, parameters = CASES[name]()
    problem = MixedIntegerProgram.from_cvxpy(model, parameters)
    thetas = np.array([drawn(parameters, seed) for seed in range(5)])
    found = decide(problem, thetas)
    assert problem.is_feasible(found.decision, torch.from_numpy(thetas)).all()
    for seed in range(5):
        drawn(parameters, seed)
        model.solve(solver=cp.GUROBI, MIPGap=0.0)
        assert found.value[seed].item() == pytest.approx(model.value, abs=1e-6)
        for variable in model.variables():
            variable.value = problem.by_name(found.decision[seed])[variable.name()].numpy()
        assert model.objective.value == pytest.approx(found.value[seed].item(), abs=1e-6)
        assert all((np.asarray(row.violation()) <= 1e-6).all() for row in model.constraints)


@pytest.mark.parametrize("name", CASES)
def test_value_gradient_is_that_of_the_resolved_program(name: str) -> None:
    """dV/dtheta, through costs, rows and the quadratic term, against central differences."""
    model, parameters = CASES[name]()
    problem = MixedIntegerProgram.from_cvxpy(model, parameters)
    theta = torch.from_numpy(drawn(parameters, 1))
    gradient = problem.value_gradient(decide(problem, theta).decision, theta)
    steps = 1e-4 * torch.eye(len(theta), dtype=torch.float64)
    values = decide(problem, torch.cat([theta + steps, theta - steps])).value
    differences = (values[: len(theta)] - values[len(theta) :]) / 2e-4
    torch.testing.assert_close(gradient, differences, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize("name", ["predicted_rows", "portfolio"])
def test_remainder_is_the_derivative_of_the_resolved_decision(name: str) -> None:
    """d decision / d theta with the integers held, through costs, rows and the quadratic term."""
    model, parameters = CASES[name]()
    problem = MixedIntegerProgram.from_cvxpy(model, parameters)
    theta = torch.from_numpy(drawn(parameters, 4))
    theta[-1] *= 5 if name == "portfolio" else 1  # careful enough to hold two assets
    decision = decide(problem, theta).decision
    weights = torch.from_numpy(np.random.default_rng(0).normal(size=decision.shape))
    remainder = problem.remainder(decision[None], theta[None])
    steps = 1e-4 * torch.eye(len(theta), dtype=torch.float64)
    moved = decide(problem, torch.cat([theta + steps, theta - steps])).decision @ weights
    differences = (moved[: len(theta)] - moved[len(theta) :]) / 2e-4
    assert differences.abs().max() > 0.01
    assert not remainder.tied.any()
    torch.testing.assert_close(remainder.adjoint(weights[None])[0], differences, atol=1e-6, rtol=1e-6)


def test_decisions_have_the_shapes_of_the_users_variables() -> None:
    """A batch of decisions comes back as (batch, 3, 4) for a (3, 4) variable, rows and columns in place."""
    model, parameters = facilities()
    problem = MixedIntegerProgram.from_cvxpy(model, parameters)
    theta = np.array([drawn(parameters, seed) for seed in range(2)])
    by_name = problem.by_name(decide(problem, theta).decision)
    assert {name: tuple(part.shape) for name, part in by_name.items()} == {"open": (2, 3), "ship": (2, 3, 4)}
    torch.testing.assert_close(by_name["ship"].sum(1), torch.tensor([[2.0, 3.0, 1.0, 2.5]] * 2).double())
    assert problem.predicted_names[:5] == ("cost[0,0]", "cost[0,1]", "cost[0,2]", "cost[0,3]", "cost[1,0]")


def test_parameters_that_are_not_predicted_keep_their_value_of_now() -> None:
    """Changing a parameter afterwards, or solving the problem, leaves what was read alone."""
    model, parameters = portfolio()
    gain, aversion = parameters
    drawn(parameters, 0)
    aversion.value = 2.0
    problem = MixedIntegerProgram.from_cvxpy(model, [gain])
    aversion.value = 50.0
    found = decide(problem, gain.value)
    aversion.value = 2.0
    model.solve(solver=cp.GUROBI, MIPGap=0.0)
    assert problem.parameters is None
    assert found.value.item() == pytest.approx(model.value, abs=1e-6)


def test_fixed_rows_of_one_variable_become_bounds() -> None:
    """x >= 0, x <= 5 written as constraints are a box, not rows beside it."""
    x, price = cp.Variable(3, name="x"), cp.Parameter(3)
    problem = MixedIntegerProgram.from_cvxpy(
        cp.Problem(cp.Minimize(price @ x), [x >= 1, x <= 5, cp.sum(x) <= 9]), [price]
    )
    program = problem.polytope()
    assert program.G.shape == (1, 3)
    assert program.lower.tolist() == [1, 1, 1]
    assert program.upper.tolist() == [5, 5, 5]


def test_predicted_rows_have_no_one_program() -> None:
    """Without p there are no rows to ask for; with p there are."""
    model, parameters = predicted_rows()
    problem = MixedIntegerProgram.from_cvxpy(model, parameters)
    with pytest.raises(UnsupportedError, match=r"program_at\(p\)"):
        problem.polytope()
    low, high = (torch.full((9,), value, dtype=torch.float64) for value in (1.0, 3.0))
    assert problem.program_at(low).structure_key != problem.program_at(high).structure_key
    assert problem.program_at(high).h.max() > problem.program_at(low).h.max()


def test_declared_signs_are_kept() -> None:
    """A negative prediction for a parameter declared nonneg is refused by name, as cvxpy refuses it."""
    model, parameters = facilities()
    problem = MixedIntegerProgram.from_cvxpy(model, parameters)
    with pytest.raises(InvalidCostsError, match=r"cost\[1,1\] is declared not to be negative"):
        problem.solve(torch.tensor([1.0] * 5 + [-1.0] + [1.0] * 6))
    assert bool((problem.random_costs(3) >= 0).all())


def test_infeasible_predictions_name_the_constraint() -> None:
    """A capacity too small for the demand: the constraint is named as its author wrote it."""
    x, room = cp.Variable(2, nonneg=True), cp.Parameter(name="room")
    model = cp.Problem(cp.Minimize(cp.sum(x)), [cp.sum(x) >= 3, x <= room])
    problem = MixedIntegerProgram.from_cvxpy(model, [room])
    assert decide(problem, [2.0]).value.item() == pytest.approx(3.0)
    with pytest.raises(InfeasibleError, match=r"3.0 <= Sum\(var"):
        decide(problem, [1.0])


def refused_case(name: str) -> Case:
    x, p, q = cp.Variable(2, nonneg=True, name="x"), cp.Parameter(2, name="p"), cp.Parameter(2, name="q")
    q.value = np.ones(2)
    made = {
        "product of parameters": (cp.Minimize(cp.multiply(p, q) @ x), []),
        "second-order cone": (cp.Minimize(p @ x), [cp.norm(x) <= 1]),
        "cone in the objective": (cp.Minimize(p @ x + cp.norm(x)), []),
        "concave": (cp.Minimize(p @ x - cp.square(x[0])), []),
        "symmetric": (cp.Minimize(p @ x + cp.sum(cp.Variable((2, 2), symmetric=True, name="S"))), []),
        "unbounded": (cp.Minimize(p @ x), [x[0] <= 1]),
        "parameter alone": (cp.Minimize(p @ x), [x <= 1, p[0] >= 1]),
    }[name]
    return cp.Problem(*made), [p]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("product of parameters", UnsupportedError, r"not affine in its parameters \(p, q\)"),
        ("second-order cone", UnsupportedError, "Constraint .*norm.* needs a cone that is not linear"),
        ("cone in the objective", UnsupportedError, "Objective .* needs a cone"),
        ("concave", UnsupportedError, "not convex by cvxpy's rules"),
        ("symmetric", UnsupportedError, "S is complex, symmetric"),
        ("unbounded", InvalidInstanceError, r"Variable x\[1\] has no upper bound"),
        ("parameter alone", UnsupportedError, "has parameters but no variable"),
    ],
)
def test_what_is_not_supported_is_said(name: str, error: type[Exception], message: str) -> None:
    """One sentence that names the constraint, parameter or variable."""
    model, parameters = refused_case(name)
    with pytest.raises(error, match=message):
        MixedIntegerProgram.from_cvxpy(model, parameters)


def test_wrong_parameters_are_named() -> None:
    """Not in the problem, named twice, without a value, none at all, no cvxpy at all."""
    x, p, q = cp.Variable(2, boolean=True), cp.Parameter(2, name="p"), cp.Parameter(2, name="q")
    model = cp.Problem(cp.Minimize((p + q) @ x))
    for parameters, message in (
        ([p], "q has no value"),
        ([p, p, q], "p is named twice"),
        ([p, q, cp.Parameter(name="r")], "r does not occur"),
        ([], "at least one"),
        ([p, x], "takes cvxpy.Parameter"),
    ):
        with pytest.raises(InvalidInstanceError, match=message):
            MixedIntegerProgram.from_cvxpy(model, parameters)
    with pytest.raises(InvalidInstanceError, match="takes a cvxpy"):
        MixedIntegerProgram.from_cvxpy("model", [p])


def test_a_layer_trains_through_predicted_rows() -> None:
    """The exact decision on the predicted rows, with the gradient of its continuous part."""
    model, parameters = predicted_rows()
    problem = MixedIntegerProgram.from_cvxpy(model, parameters)
    theta = torch.from_numpy(drawn(parameters, 4))[None].requires_grad_()
    layer = DecisionLayer(problem)
    decision = layer(theta)
    weights = torch.from_numpy(np.random.default_rng(0).normal(size=decision.shape))
    (gradient,) = torch.autograd.grad(decision, theta, weights)
    remainder = problem.remainder(decision.detach(), theta.detach())
    torch.testing.assert_close(gradient, remainder.adjoint(weights))
    assert layer.last.gradient == "remainder"
    assert gradient.abs().max() > 0.1
    with pytest.raises(UnsupportedError, match="no relaxed decision"):
        DecisionLayer(problem, decision="relaxed")(theta)
