"""Mixed-integer programs from arrays: domains, sense, cost maps, quadratic terms, bad input."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from diffcomb.errors import InfeasibleError, InvalidInstanceError, UnknownNameError, UnsupportedError
from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.problems import BinaryProgram, MixedIntegerProgram
from tests.reference import decide

INF = np.inf


def test_quantities_are_decided_as_by_enumeration() -> None:
    """A knapsack with 0..5 of each item, best by value over all 216 loads; larger is better."""
    weights, values = np.array([3.0, 5.0, 2.0]), np.array([[4.0, 7.0, 2.5], [1.0, 1.0, 1.0]])
    problem = MixedIntegerProgram(G=weights[None], h=[16.0], upper=5, sense="max")
    loads = np.array(list(itertools.product(range(6), repeat=3)), dtype=float)
    loads = loads[loads @ weights <= 16]
    found = decide(problem, values)
    np.testing.assert_allclose(found.value, (values @ loads.T).max(axis=1))
    torch.testing.assert_close(problem.objective(found.decision, torch.from_numpy(values)), found.value)
    assert bool((problem.shortfall(found.value - 1.0, found.value) == 1.0).all())


def test_integer_real_and_negative_domains_meet() -> None:
    """x whole in -3..4, y real in 0.5..2, x + y = 1.75 forces y to a quarter."""
    problem = MixedIntegerProgram(
        A=[[1, 1]], b=[1.75], lower=[-3, 0.5], upper=[4, 2], integer=np.array([True, False])
    )
    assert decide(problem, [1.0, 0.0]).decision.tolist() == [0.0, 1.75]
    assert decide(problem, [-1.0, 0.0]).decision.tolist() == [1.0, 0.75]


class _Stopped:
    """An oracle that ran out of time with a decision and a bound."""

    name = "stopped"

    def supports(self, problem) -> bool:
        return True

    def solve(self, problem, costs: np.ndarray, limits: Limits) -> OracleAnswer:
        return OracleAnswer(np.ones_like(costs), costs.sum(1) - 2.0, (Status.FEASIBLE,) * len(costs))


@pytest.mark.parametrize(("sense", "best"), [("min", -1), ("max", 1)])
def test_bounds_of_unfinished_searches_are_in_the_users_sense(sense: str, best: int) -> None:
    """Two below a value that is minimised, two above one that is maximised."""
    problem = MixedIntegerProgram(G=[[1, 1]], h=[2], sense=sense, known_costs=[1.0, 2.0])
    found = problem.solve(torch.tensor([3.0, 4.0]), _Stopped())
    assert found.value.item() == 10.0
    assert found.bound.item() == 10.0 + 2.0 * best


def test_an_infeasible_maximum_is_minus_infinity() -> None:
    """The value of no decision is the worst there is."""
    problem = MixedIntegerProgram(G=[[1, 1]], h=[-1], sense="max")
    theta = torch.ones(2, dtype=torch.float64)
    from tests.reference import Reference

    assert problem.solve(theta, Reference(), on_failure="status").value.item() == -INF
    with pytest.raises(InfeasibleError, match="row 0 of G cannot hold within the bounds"):
        problem.solve(theta, Reference())


def test_a_few_prices_drive_many_costs() -> None:
    """Two prices, five starts that last two hours, known set-up costs: costs are C p + c0."""
    C = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1], [2, 0, 0], [0, 0, 2]], dtype=float)
    known = np.array([0.0, 5.0, 0.0, 1.0, 1.0])
    problem = MixedIntegerProgram(A=np.ones((1, 5)), b=[1], cost_map=C, known_costs=known)
    prices = torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 0.1]], dtype=torch.float64)
    costs = prices.numpy() @ C.T + known
    found = decide(problem, prices)
    assert problem.num_costs == 3
    assert problem.num_vars == 5
    np.testing.assert_array_equal(found.decision.argmax(1), costs.argmin(1))
    np.testing.assert_allclose(found.value, costs.min(1))
    torch.testing.assert_close(
        problem.value_gradient(found.decision, prices), found.decision @ torch.from_numpy(C)
    )


@pytest.mark.parametrize("sense", ["min", "max"])
def test_quadratic_terms_count_in_the_users_sense(sense: str) -> None:
    """x'Q x / 2 beside the costs, over all whole points of a box."""
    Q = np.array([[2.0, 0.5], [0.5, 1.0]])
    sign = 1 if sense == "min" else -1
    problem = MixedIntegerProgram(G=[[1, 1]], h=[4], lower=-2, upper=3, sense=sense, objective=sign * Q)
    points = np.array([p for p in itertools.product(range(-2, 4), repeat=2) if sum(p) <= 4], dtype=float)
    theta = np.array([1.3, -2.2])
    values = points @ theta + 0.5 * sign * np.einsum("ki,ij,kj->k", points, Q, points)
    assert decide(problem, theta).value.item() == pytest.approx(sign * (sign * values).min())


def test_rows_without_a_limit_are_no_rows() -> None:
    """h = inf drops a row, 1e30 counts as infinite, h = -inf is infeasible, b = inf refused."""
    program = MixedIntegerProgram(G=[[1, 1], [1, 0], [0, 1]], h=[INF, 1e30, 1]).polytope()
    assert program.G.toarray().tolist() == [[0, 1]]
    with pytest.raises(InfeasibleError, match="row 1 of G"):
        MixedIntegerProgram(G=[[1, 1], [1, 0]], h=[1, -INF])
    with pytest.raises(InvalidInstanceError, match="row 0 of A"):
        MixedIntegerProgram(A=[[1, 1]], b=[INF])


def test_bounds_of_whole_numbers_are_moved_inwards() -> None:
    """0.5 <= x <= 2.5 says 1, 2; 0.2 <= x <= 0.8 says nothing at all, by name."""
    program = MixedIntegerProgram(G=[[1]], h=[9], lower=0.5, upper=2.5).polytope()
    assert (program.lower.tolist(), program.upper.tolist()) == ([1], [2])
    with pytest.raises(InfeasibleError, match="Variable load has no value"):
        MixedIntegerProgram(G=[[1]], h=[9], lower=0.2, upper=0.8, names=["load"])


def test_decisions_by_name_are_views_of_the_decision() -> None:
    """by_name keeps batches; names that occur twice cannot be asked for."""
    z = torch.arange(6.0).reshape(2, 3)
    problem = MixedIntegerProgram(G=[[1, 1, 1]], h=[2], names=["a", "b", "c"])
    assert problem.by_name(z)["b"].tolist() == [1.0, 4.0]
    with pytest.raises(InvalidInstanceError, match="Two variables are called a"):
        MixedIntegerProgram(G=[[1, 1, 1]], h=[2], names=["a", "b", "a"]).by_name(z)


def test_arrays_of_the_caller_are_copied() -> None:
    """Changing what was passed changes nothing."""
    arrays = {"G": np.ones((1, 2)), "h": np.ones(1), "lower": np.zeros(2), "upper": np.ones(2)}
    problem = MixedIntegerProgram(**arrays)
    for array in arrays.values():
        array += 5
    program = problem.polytope()
    assert (program.G.toarray().tolist(), program.h.tolist()) == ([[1, 1]], [1])
    assert (program.lower.tolist(), program.upper.tolist()) == ([0, 0], [1, 1])


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ({}, InvalidInstanceError, "Give A, G or both"),
        ({"G": [[1, 1]], "h": [1, 2]}, InvalidInstanceError, "G has 1 rows"),
        ({"G": [[1, 1]], "h": [1], "upper": [1, 1, 1]}, InvalidInstanceError, "one column per variable"),
        ({"G": [[1, np.nan]], "h": [1]}, InvalidInstanceError, "G has a NaN"),
        ({"G": [[1, 1]], "h": [np.nan]}, InvalidInstanceError, "row 0 of G is NaN"),
        (
            {"G": [[1, 1]], "h": [1], "lower": np.nan},
            InvalidInstanceError,
            "Variable x0 has the lower bound nan",
        ),
        ({"G": [[1, 1]], "h": [1], "lower": INF}, InvalidInstanceError, "lower bound inf"),
        ({"G": [[1, 1]], "h": [1], "integer": [0, 1]}, InvalidInstanceError, "True, False or one of them"),
        ({"G": [[1, 1]], "h": [1], "sense": "up"}, UnknownNameError, "min or max"),
        ({"G": [[1, 1]], "h": [1], "cost_map": np.eye(3)}, InvalidInstanceError, "one row per variable, 2"),
        ({"G": [[1, 1]], "h": [1], "known_costs": [1]}, InvalidInstanceError, "one entry per variable, 2"),
        ({"G": [[1, 1]], "h": [1], "objective": -np.eye(2)}, UnsupportedError, "not convex"),
        ({"G": [[1, 1]], "h": [1], "objective": np.eye(3)}, InvalidInstanceError, "quadratic term has 3"),
        ({"G": [[1, 1]], "h": [1], "objective": lambda x, p: x}, UnsupportedError, "not a function"),
        ({"G": [[1, 1]], "h": [1], "upper": 2, "cuts": True}, UnsupportedError, "0-1 program"),
        ({"G": [[1, 1]], "h": [1], "names": ["x"]}, InvalidInstanceError, "2 variables need as many names"),
        ({"G": [[0, 0]], "h": [-1]}, InfeasibleError, "row 0 of G has no variables"),
    ],
)
def test_wrong_input_is_named(parts: dict, error: type[Exception], message: str) -> None:
    """One sentence with the row, variable or argument."""
    with pytest.raises(error, match=message):
        MixedIntegerProgram(**parts)


def test_the_binary_case_is_the_same_class() -> None:
    """BinaryProgram decides what a MixedIntegerProgram with default bounds decides, and refuses others."""
    rows = {"A": [[1, 1, 1, 0]], "b": [1], "G": [[3, -2, 4, 5]], "h": [4]}
    theta = np.random.default_rng(0).normal(size=(5, 4))
    binary, general = BinaryProgram(**rows), MixedIntegerProgram(**rows)
    assert isinstance(binary, MixedIntegerProgram)
    assert binary.cost_map is None
    assert general.cost_map is None
    torch.testing.assert_close(decide(binary, theta).decision, decide(general, theta).decision)
