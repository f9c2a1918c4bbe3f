"""What front ends cannot take is said in one sentence, with the name or the command."""

from __future__ import annotations

import sys

import gurobipy
import numpy as np
import pulp
import pyomo.environ as pyo
import pytest
from ortools.math_opt.python import mathopt

from diffcomb.errors import InfeasibleError, InvalidInstanceError, MissingBackendError, UnsupportedError
from diffcomb.problems import BinaryProgram, MixedIntegerProgram
from tests.front_ends.models import gurobi_model, mathopt_model, pulp_model, pyomo_model, random_spec
from tests.reference import decide

SPEC = random_spec(0)


@pytest.mark.parametrize(
    ("language", "module", "command"),
    [
        ("cvxpy", "cvxpy", r"cvxpy is not installed: pip install 'diffcomb\[front_ends\]'"),
        ("gurobi", "gurobipy", "Gurobi is not installed: pip install gurobipy"),
        ("pyomo", "pyomo.environ", "Pyomo is not installed: pip install pyomo"),
        ("pulp", "pulp", "PuLP is not installed: pip install pulp"),
    ],
)
def test_a_missing_package_is_named_with_its_command(
    language: str, module: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingBackendError, match=command):
        getattr(MixedIntegerProgram, f"from_{language}")("model", [])


@pytest.mark.parametrize("language", ["gurobi", "pyomo", "pulp", "mathopt"])
def test_something_else_than_a_model_is_refused(language: str) -> None:
    with pytest.raises(InvalidInstanceError, match=f"from_{language} takes a"):
        getattr(MixedIntegerProgram, f"from_{language}")("model")


@pytest.mark.parametrize(
    ("language", "write"),
    [
        ("gurobi", gurobi_model),
        ("pyomo", pyomo_model),
        ("pulp", pulp_model),
        ("mathopt", mathopt_model),
    ],
)
def test_variables_of_costs_must_be_the_models_own(language: str, write) -> None:
    """Twice the same variable, a variable of another model (PuLP's join it), a name, nothing."""
    read = getattr(MixedIntegerProgram, f"from_{language}")
    model, (first, *_) = write(SPEC)
    with pytest.raises(InvalidInstanceError, match=f"{SPEC.names[4]} is predicted twice"):
        read(model, [first, first])
    with pytest.raises(InvalidInstanceError, match="is no variable of this model"):
        read(model, ["x"])
    with pytest.raises(InvalidInstanceError, match="No cost is predicted"):
        read(model, [])
    if language != "pulp":
        _, (stranger, *_) = write(SPEC)
        with pytest.raises(InvalidInstanceError, match="is no variable of this model"):
            read(model, [stranger])


def foreign_gurobi(kind: str) -> gurobipy.Model:
    model, (x, y, z) = gurobi_model(SPEC)
    if kind == "quadratic constraints":
        model.addConstr(x * x + y <= 3)
    elif kind == "general constraints":
        model.addGenConstrMax(z, [x, y])
    elif kind == "SOS":
        model.addSOS(gurobipy.GRB.SOS_TYPE1, [x, y])
    elif kind == "several objectives":
        model.setObjectiveN(x + y, 1)
    else:
        model.addVar(0.0, 4.0, 0.0, "S", "semi")
    return model


@pytest.mark.parametrize(
    "kind", ["quadratic constraints", "general constraints", "SOS", "several objectives", "semi-continuous"]
)
def test_gurobi_models_with_more_than_rows_are_refused(kind: str) -> None:
    with pytest.raises(UnsupportedError, match=kind):
        MixedIntegerProgram.from_gurobi(foreign_gurobi(kind))


def test_gurobi_quadratic_objectives_and_matrix_variables_are_read() -> None:
    """x'Q x in the objective, costs given as an MVar: value as by Gurobi."""
    model = gurobipy.Model(env=gurobipy.Env(params={"OutputFlag": 0}))
    x = model.addMVar((2, 2), ub=3.0, vtype="I", name="x")
    model.setObjective(x[0] @ x[0] + 2 * x[0, 0] * x[0, 1] + (np.ones(4) * -3.3) @ x.reshape(4), 1)
    model.addConstr(x.sum() <= 7)
    problem = MixedIntegerProgram.from_gurobi(model, x)
    model.optimize()
    assert problem.names == ("x[0,0]", "x[0,1]", "x[1,0]", "x[1,1]")
    assert decide(problem).value.item() == pytest.approx(model.ObjVal)


def test_pyomo_models_with_more_than_linear_constraints_are_refused() -> None:
    """A nonlinear constraint, a value set with gaps, special-ordered sets, two objectives."""
    model, (x, y, _) = pyomo_model(SPEC)
    model.bent = pyo.Constraint(expr=x * y <= 3)
    with pytest.raises(UnsupportedError, match="Constraint bent is not linear"):
        MixedIntegerProgram.from_pyomo(model)
    model.del_component("bent")
    model.odd = pyo.Var(within=[1, 3, 7])
    with pytest.raises(UnsupportedError, match="Variable odd takes values of"):
        MixedIntegerProgram.from_pyomo(model)
    model.del_component("odd")
    model.several = pyo.Var([1, 2], bounds=(0, 1))
    model.ordered = pyo.SOSConstraint(var=model.several, sos=1)
    with pytest.raises(UnsupportedError, match="SOSConstraint"):
        MixedIntegerProgram.from_pyomo(model)
    model.del_component("ordered")
    model.other = pyo.Objective(expr=x)
    with pytest.raises(InvalidInstanceError, match="one active objective, it has 2"):
        MixedIntegerProgram.from_pyomo(model)


def test_pyomo_parameters_blocks_and_fixed_variables_count() -> None:
    """Mutable parameters and fixed variables by value, blocks by full names; fixed ones stay fixed."""
    model = pyo.ConcreteModel()
    model.I = pyo.Set(initialize=["a", "b"])
    model.gain = pyo.Param(model.I, initialize={"a": 1.0, "b": 2.0}, mutable=True)
    model.x = pyo.Var(model.I, within=pyo.Integers, bounds=(0, 4))
    model.part = pyo.Block()
    model.part.y = pyo.Var(bounds=(0, 9))
    model.part.y.fix(2.5)
    model.row = pyo.Constraint(expr=model.x["a"] + model.x["b"] + model.part.y <= 7)
    model.goal = pyo.Objective(
        expr=sum(model.gain[i] * model.x[i] for i in model.I) + model.part.y**2 * 0 + 3 * model.part.y,
        sense=pyo.maximize,
    )
    model.gain["b"] = 5.0
    problem = MixedIntegerProgram.from_pyomo(model, costs=model.x)
    assert problem.names == ("x[a]", "x[b]", "part.y")
    assert problem.costs.tolist() == [1.0, 5.0]
    assert decide(problem).value.item() == pytest.approx(5 * 4 + 3 * 2.5)
    assert model.part.y.fixed
    assert model.part.y.value == 2.5


def test_pulp_variables_that_the_problem_does_not_use_yet_join_it() -> None:
    """costs may name variables without a row; two variables of one name are refused."""
    model = pulp.LpProblem("p", pulp.LpMaximize)
    x, idle = model.add_variable("x", 0, 4, "Integer"), model.add_variable("idle", 0, 2)
    model += x <= 2.5, "row"
    problem = MixedIntegerProgram.from_pulp(model, costs={"idle": idle, "x": x})
    assert problem.predicted_names == ("idle", "x")
    assert decide(problem, [1.0, 1.0]).value.item() == pytest.approx(4.0)
    twin = model.add_variable("x", 0, 1)
    model += twin <= 1, "other"
    with pytest.raises(InvalidInstanceError, match="Two variables are called x"):
        MixedIntegerProgram.from_pulp(model)


def test_mathopt_models_with_more_than_rows_are_refused() -> None:
    model, (x, y, _) = mathopt_model(SPEC)
    model.add_quadratic_constraint(x * y <= 3)
    with pytest.raises(UnsupportedError, match="quadratic constraints"):
        MixedIntegerProgram.from_mathopt(model)


def test_mathopt_quadratic_objectives_and_missing_names_are_read() -> None:
    """Products of the objective in its own sense; unnamed variables are called by their number."""
    model = mathopt.Model()
    x, y = model.add_integer_variable(lb=-2, ub=3), model.add_variable(lb=0, ub=2, name="y")
    model.add_linear_constraint(x + y <= 4)
    model.maximize(3 * x + 2 * y - x * x - 0.5 * x * y - y * y + 1)
    problem = MixedIntegerProgram.from_mathopt(model)
    assert problem.names == ("variable 0", "y")
    best = max(
        3 * a + 2 * b - a * a - 0.5 * a * b - b * b + 1 for a in range(-2, 4) for b in np.linspace(0, 2, 2001)
    )
    assert decide(problem).value.item() == pytest.approx(best, abs=1e-6)


def test_rows_that_cannot_hold_are_named() -> None:
    """Names of the language reach the message."""
    model = pulp.LpProblem("p")
    x = model.add_variable("x", 0, 1, "Binary")
    model += x >= 2, "too_much"
    with pytest.raises(InfeasibleError, match="too_much cannot hold within the bounds"):
        decide(MixedIntegerProgram.from_pulp(model))


def test_binary_programs_take_binary_models_alone() -> None:
    """The 0-1 class refuses another variable by name and keeps names of those it takes."""
    model = pulp.LpProblem("p")
    x, y = model.add_variable("x", cat="Binary"), model.add_variable("y", 0, 3, "Integer")
    model += x + y >= 1, "row"
    with pytest.raises(InvalidInstanceError, match="Variable y is not binary"):
        BinaryProgram.from_pulp(model)
    y.upBound = 0
    problem = BinaryProgram.from_pulp(model)
    assert problem.is_binary
    assert problem.names == ("x", "y")
    assert decide(problem, [1.0, -1.0]).decision.tolist() == [1.0, 0.0]
