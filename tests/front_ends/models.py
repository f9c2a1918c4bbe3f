"""One random model, written in every modelling language and solved by each with its own solver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gurobipy
import highspy
import numpy as np
import pulp
import pyomo.environ as pyo
from ortools.math_opt.python import mathopt
from scipy import sparse

from diffcomb.quiet_highs import QuietHighs


@dataclass(frozen=True)
class Spec:
    """Best of costs'x + constant over low <= matrix x <= high and the variables' own domains."""

    costs: np.ndarray
    constant: float
    sense: str
    matrix: np.ndarray
    low: np.ndarray
    high: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    kinds: str  # one letter a variable: B, I or C

    @property
    def names(self) -> list[str]:
        """Not in alphabetical order, so that a writer that sorts is found out."""
        return [f"{'zyx'[j % 3]}{j}" for j in range(len(self.costs))]


#: the variables whose costs are predicted, in this order
PREDICTED = [4, 0, 6]


def random_spec(seed: int) -> Spec:
    """Eight variables of all kinds, bounds of all kinds, rows with one side, two sides and equal sides.

    Variable 7 stands in no row; variable 5 is bounded above by a row alone; both senses.
    """
    rng = np.random.default_rng(seed)
    kinds = "BICBICIC"
    lower = np.array([0, -3, -1.5, 0, -2, 0, 0, -1.0])
    upper = np.array([1, 4, 2.5, 1, np.inf, np.inf, 5, 2.0])
    matrix = rng.integers(-3, 4, (5, 8)).astype(float)
    matrix[:, 7] = 0.0
    matrix[3] = [1, 1, 0, 0, 2, 2, 1, 0]
    inside = np.array([1, 1, 0.5, 0, 1, 0.5, 2, 0.5])
    value = matrix @ inside
    low = value - np.array([np.inf, 2.0, 0.0, np.inf, 1.0])
    high = value + np.array([2.0, np.inf, 0.0, 3.0, 1.5])
    costs = np.round(rng.normal(size=8), 2)
    return Spec(costs, 3.25, "max" if seed % 2 else "min", matrix, low, high, lower, upper, kinds)


def with_costs(spec: Spec, theta: np.ndarray) -> Spec:
    """The predicted costs replaced by theta."""
    costs = spec.costs.copy()
    costs[PREDICTED] = theta
    return replace(spec, costs=costs)


def gurobi_model(spec: Spec) -> tuple[Any, list[Any]]:
    model = gurobipy.Model(env=gurobipy.Env(params={"OutputFlag": 0}))
    x = [
        model.addVar(lo, up, 0.0, kind, name)
        for lo, up, kind, name in zip(spec.lower, spec.upper, spec.kinds, spec.names, strict=True)
    ]
    goal = gurobipy.LinExpr(spec.costs, x) + spec.constant
    model.setObjective(goal, gurobipy.GRB.MINIMIZE if spec.sense == "min" else gurobipy.GRB.MAXIMIZE)
    for k, (row, lo, up) in enumerate(zip(spec.matrix, spec.low, spec.high, strict=True)):
        body = gurobipy.LinExpr(row, x)
        if lo == up:
            model.addConstr(body == lo, f"r{k}")
        elif np.isfinite(lo) and np.isfinite(up):
            model.addRange(body, lo, up, f"r{k}")
        else:
            model.addConstr(body >= lo if np.isfinite(lo) else body <= up, f"r{k}")
    return model, [x[j] for j in PREDICTED]


def solved_gurobi(model: Any) -> float:
    model.optimize()
    return model.ObjVal


def pyomo_model(spec: Spec) -> tuple[Any, list[Any]]:
    model = pyo.ConcreteModel()
    domain = {"B": pyo.Binary, "I": pyo.Integers, "C": pyo.Reals}
    for j, name in enumerate(spec.names):
        ends = [None if np.isinf(v) else v for v in (spec.lower[j], spec.upper[j])]
        model.add_component(name, pyo.Var(within=domain[spec.kinds[j]], bounds=tuple(ends)))
    x = [model.component(name) for name in spec.names]
    goal = sum(c * v for c, v in zip(spec.costs, x, strict=True)) + spec.constant
    model.goal = pyo.Objective(expr=goal, sense=pyo.minimize if spec.sense == "min" else pyo.maximize)
    model.rows = pyo.ConstraintList()
    for row, lo, up in zip(spec.matrix, spec.low, spec.high, strict=True):
        # part of the constant on the left, as people write
        body = sum(a * v for a, v in zip(row, x, strict=True)) + 1
        ends = [None if np.isinf(v) else v + 1 for v in (lo, up)]
        model.rows.add(pyo.inequality(ends[0], body, ends[1]) if lo != up else body == lo + 1)
    return model, [x[j] for j in PREDICTED]


def solved_pyomo(model: Any) -> float:
    pyo.SolverFactory("appsi_highs").solve(model)
    return pyo.value(model.goal)


def pulp_model(spec: Spec) -> tuple[Any, list[Any]]:
    model = pulp.LpProblem("p", pulp.LpMinimize if spec.sense == "min" else pulp.LpMaximize)
    kind = {"B": pulp.LpBinary, "I": pulp.LpInteger, "C": pulp.LpContinuous}
    x = []
    for j, name in enumerate(spec.names):
        ends = [None if np.isinf(v) else v for v in (spec.lower[j], spec.upper[j])]
        x.append(model.add_variable(name, *ends, kind[spec.kinds[j]]))
    model += pulp.lpDot(spec.costs, x) + spec.constant
    for k, (row, lo, up) in enumerate(zip(spec.matrix, spec.low, spec.high, strict=True)):
        body = pulp.lpDot(row, x)
        if lo == up:
            model += body == lo, f"r{k}"
            continue
        if np.isfinite(lo):
            model += body - 1 >= lo - 1, f"r{k}_low"
        if np.isfinite(up):
            model += body <= up, f"r{k}_up"
    return model, [x[j] for j in PREDICTED]


def solved_pulp(model: Any) -> float:
    model.solve(pulp.HiGHS(msg=False))
    return pulp.value(model.objective)


def mathopt_model(spec: Spec) -> tuple[Any, list[Any]]:
    model = mathopt.Model()
    x = [
        model.add_variable(lb=lo, ub=up, is_integer=kind != "C", name=name)
        for lo, up, kind, name in zip(spec.lower, spec.upper, spec.kinds, spec.names, strict=True)
    ]
    for row, lo, up in zip(spec.matrix, spec.low, spec.high, strict=True):
        model.add_linear_constraint(
            lb=lo, ub=up, expr=mathopt.LinearSum(a * v for a, v in zip(row, x, strict=True))
        )
    goal = mathopt.LinearSum(c * v for c, v in zip(spec.costs, x, strict=True)) + spec.constant
    if spec.sense == "min":
        model.minimize(goal)
    else:
        model.maximize(goal)
    return model, [x[j] for j in PREDICTED]


def solved_mathopt(model: Any) -> float:
    return mathopt.solve(model, mathopt.SolverType.GSCIP).objective_value()


def highs_model(spec: Spec) -> tuple[Any, list[str]]:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(spec.costs), len(spec.low)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = spec.costs, spec.lower, spec.upper
    lp.row_lower_, lp.row_upper_, lp.offset_ = spec.low, spec.high, spec.constant
    lp.sense_ = highspy.ObjSense.kMinimize if spec.sense == "min" else highspy.ObjSense.kMaximize
    rows = sparse.csr_array(spec.matrix)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = rows.indptr, rows.indices, rows.data
    known = highspy.HighsVarType
    lp.integrality_ = [known.kContinuous if kind == "C" else known.kInteger for kind in spec.kinds]
    lp.col_names_, lp.row_names_ = spec.names, [f"r{k}" for k in range(len(spec.low))]
    model = QuietHighs()
    model.passModel(lp)
    return model, [spec.names[j] for j in PREDICTED]


def solved_highs(model: Any) -> float:
    model.run()
    return model.getInfo().objective_function_value


#: language -> (write the model and name the predicted variables, solve it by its own means)
LANGUAGES: dict[str, tuple[Callable[[Spec], tuple[Any, Any]], Callable[[Any], float]]] = {
    "gurobi": (gurobi_model, solved_gurobi),
    "pyomo": (pyomo_model, solved_pyomo),
    "pulp": (pulp_model, solved_pulp),
    "mathopt": (mathopt_model, solved_mathopt),
    "mps": (highs_model, solved_highs),
}


def written(spec: Spec, path: Path) -> Path:
    """The model as a file, by HiGHS; the suffix says which kind."""
    model, _ = highs_model(spec)
    model.writeModel(str(path))
    return path
