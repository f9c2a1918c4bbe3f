"""Bounds that rows imply, for variables that came without."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diffcomb.errors import InfeasibleError, InvalidInstanceError, UnboundedCostWarning
from diffcomb.problems import MixedIntegerProgram
from tests.reference import decide

INF = np.inf


def box(**parts) -> tuple[list[float], list[float]]:
    program = MixedIntegerProgram(**parts).polytope()
    return program.lower.tolist(), program.upper.tolist()


def test_single_rows_bound_their_variables() -> None:
    """2 x + y <= 7 with y >= 1 says x <= 3; the bound of an integer is a whole number."""
    rows = {"G": [[2.0, 1.0]], "h": [7.5], "lower": [0, 1], "upper": INF}
    assert box(**rows, integer=False) == ([0, 1], [3.25, 7.5])
    assert box(**rows, integer=True) == ([0, 1], [3, 7])


def test_bounds_pass_from_row_to_row() -> None:
    """y <= x + 1 and x <= 4 bound y; an equation bounds from both sides."""
    G, h = [[-1.0, 1.0, 0.0], [1.0, 0.0, 0.0]], [1.0, 4.0]
    A, b = [[0.0, 1.0, -1.0]], [2.0]
    lower = [0.0, 0.0, -INF]
    assert box(A=A, b=b, G=G, h=h, lower=lower, upper=INF, integer=False) == ([0, 0, -2], [4, 5, 3])


def test_rows_that_bound_only_together_take_a_linear_program() -> None:
    """x + y <= 10 and x - y <= 2 with both free say x <= 6; with y - x <= 1, y >= ... too."""
    G, h = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], [10.0, 2.0, 1.0, 0.0]
    lower, upper = box(G=G, h=h, lower=-INF, upper=INF, integer=False)
    assert lower == pytest.approx([-0.5, -1.0])
    assert upper == pytest.approx([6.0, 5.5])


def test_given_bounds_stay_as_they_are() -> None:
    """A row that would tighten a finite bound does not: the box sets the units of the relaxation."""
    assert box(G=[[1.0]], h=[3.0], upper=8.0) == ([0], [8])


def test_amounts_that_cover_a_demand_are_bounded_by_it() -> None:
    """x that rows only push up need not exceed what the strictest of them asks for."""
    assert box(G=[[-2.0, -1.0]], h=[-6.0], upper=INF, integer=False) == ([0, 0], [3, 6])


def test_a_cost_of_the_other_sign_is_told() -> None:
    """Where a bound stands for the optimum of positive costs, a negative one has no optimum: a warning."""
    problem = MixedIntegerProgram(G=[[-2.0, -1.0]], h=[-6.0], upper=INF, integer=False)
    assert decide(problem, [1.0, 1.0]).value.item() == pytest.approx(3.0)
    with pytest.warns(UnboundedCostWarning, match="cost of x1"):
        decide(problem, [1.0, -1.0])


def test_known_costs_decide_whether_a_variable_is_bounded() -> None:
    """An epigraph variable of known positive cost has a bound; of known negative cost it has none."""
    t_above_x = {"G": [[1.0, -1.0]], "h": [0.0], "lower": [0, -INF], "upper": [4, INF], "integer": False}
    driven = np.array([[1.0], [0.0]])
    assert box(**t_above_x, cost_map=driven, known_costs=[0.0, 1.0]) == ([0, 0], [4, 4])
    with pytest.raises(InvalidInstanceError, match="Variable x1 has no upper bound"):
        box(**t_above_x, cost_map=driven, known_costs=[0.0, -1.0])


def test_a_variable_that_nothing_bounds_is_named() -> None:
    """No row, no bound: one sentence with the name and how many more there are."""
    with pytest.raises(InvalidInstanceError, match=r"Variable b has no upper bound .* \(1 more"):
        MixedIntegerProgram(G=[[1, 0, 0]], h=[1], upper=[1, INF, INF], integer=False, names=["a", "b", "c"])


def test_contradicting_rows_are_infeasible_not_unbounded() -> None:
    """x + y >= 3 and x + y <= 2, x - y free: the rows are named, not a variable without bounds."""
    G, h = [[1.0, 1.0], [-1.0, -1.0]], [2.0, -3.0]
    with pytest.raises(InfeasibleError, match=r"row \d of G cannot hold together"):
        MixedIntegerProgram(G=G, h=h, lower=-INF, upper=INF, integer=False)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_implied_bounds_change_no_optimum(seed: int) -> None:
    """Over random rows, the optimum with bounds of 50 given and with bounds from the rows is the same."""
    rng = np.random.default_rng(seed)
    n = 4
    G = np.vstack([rng.integers(0, 4, (3, n)) + np.eye(3, n), -rng.integers(0, 3, (1, n))]).astype(float)
    h = np.array([*rng.integers(5, 20, 3), 0.0])
    G[:3, 3] += 1
    integer = rng.random(n) < 0.5
    costs = torch.from_numpy(rng.normal(size=n))
    wide = decide(MixedIntegerProgram(G=G, h=h, upper=50.0, integer=integer), costs)
    implied = decide(MixedIntegerProgram(G=G, h=h, upper=INF, integer=integer), costs)
    assert implied.value.item() == pytest.approx(wide.value.item(), abs=1e-7)
