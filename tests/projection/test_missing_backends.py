"""An optional solver that is not installed says so, with the command that installs it."""

import sys

import pytest

from diffcomb.errors import MissingBackendError
from diffcomb.layers import projector_of
from diffcomb.problems import Assignment
from tests.registry import seeded

ORACLES = {"scip": "pyscipopt", "gurobi": "gurobipy", "cplex": "cplex"}
SOLVERS = {"cvxopt": "cvxopt", "clarabel": "clarabel", "cvxpylayers": "cvxpylayers.torch"}


@pytest.mark.parametrize("oracle", ORACLES)
def test_oracles(oracle, monkeypatch):
    """The first solve names the backend and `pip install 'diffcomb[...]'`."""
    monkeypatch.setitem(sys.modules, ORACLES[oracle], None)  # makes its import fail
    problem = Assignment(3)
    with pytest.raises(MissingBackendError, match=rf"not installed: pip install 'diffcomb\[{oracle}\]'"):
        problem.solve(problem.random_costs(generator=seeded()), oracle)


@pytest.mark.parametrize("solver", SOLVERS)
def test_convex_solvers(solver, monkeypatch):
    """Construction names the package and the command."""
    monkeypatch.setitem(sys.modules, SOLVERS[solver], None)
    with pytest.raises(MissingBackendError, match=f"solver='{solver}' needs .*pip install"):
        projector_of(Assignment(3), solver)
