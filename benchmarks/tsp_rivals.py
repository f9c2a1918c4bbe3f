"""General solvers on the same tour, one thread each: what `benchmarks.tsp` compares with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyscipopt
from ortools.sat.python import cp_model
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from diffcomb.oracles import OracleResult
from diffcomb.problems import TravelingSalesman
from diffcomb.problems.tours.subtour import violated_sets

#: value of the best tour (inf if none), lower bound, proven
Answer = tuple[float, float, bool]


class _Subtours(pyscipopt.Conshdlr):  # type: ignore[misc]
    """SCIP constraint handler: exact minimum cuts at fractional points, components at integral ones."""

    def __init__(self, problem: TravelingSalesman, variables: list[Any]) -> None:
        self.problem, self.variables = problem, variables

    def _point(self, solution: Any) -> np.ndarray:
        return np.array([self.model.getSolVal(solution, v) for v in self.variables])

    def _connected(self, solution: Any) -> bool:
        p, n = self.problem, self.problem.num_cities
        on = self._point(solution) > 0.5
        graph = csr_array((np.ones(on.sum()), (p.tails[on], p.heads[on])), shape=(n, n))
        return connected_components(graph, directed=False)[0] == 1

    def _separate(self) -> bool:
        p, x = self.problem, self._point(None)
        on = np.flatnonzero(x > 1e-9)
        sets = violated_sets(p.num_cities, p.tails[on], p.heads[on], x[on], 1e-5)
        for inside in sets:
            crossing = np.flatnonzero(inside[p.tails] != inside[p.heads])
            row = pyscipopt.quicksum(self.variables[e] for e in crossing)
            self.model.addCons(row >= 2)
        return len(sets) > 0

    def conscheck(self, constraints, solution, *flags):  # type: ignore[no-untyped-def]
        known = pyscipopt.SCIP_RESULT
        return {"result": known.FEASIBLE if self._connected(solution) else known.INFEASIBLE}

    def consenfolp(self, constraints, n_useful, sol_infeasible):  # type: ignore[no-untyped-def]
        known = pyscipopt.SCIP_RESULT
        return {"result": known.CONSADDED if self._separate() else known.FEASIBLE}

    def conssepalp(self, constraints, n_useful):  # type: ignore[no-untyped-def]
        known = pyscipopt.SCIP_RESULT
        return {"result": known.CONSADDED if self._separate() else known.DIDNOTFIND}

    def conslock(self, *unused):  # type: ignore[no-untyped-def]
        for variable in self.variables:
            self.model.addVarLocks(variable, 1, 1)


def scip(problem: TravelingSalesman, costs: np.ndarray, seconds: float) -> Answer:
    """Degree model with the subtour constraint handler above."""
    model = pyscipopt.Model()
    model.hideOutput()
    model.setParam("limits/time", seconds)
    model.setParam("misc/allowstrongdualreds", False)
    variables = [model.addVar(vtype="B", obj=float(c)) for c in costs]
    for city in range(problem.num_cities):
        star = np.flatnonzero((problem.tails == city) | (problem.heads == city))
        model.addCons(pyscipopt.quicksum(variables[e] for e in star) == 2)
    handler = _Subtours(problem, variables)
    model.includeConshdlr(
        handler, "subtours", "x(delta(S)) >= 2", sepapriority=0, enfopriority=-1, chckpriority=-1,
        sepafreq=1, needscons=False,
    )  # fmt: skip
    model.optimize()
    value = model.getObjVal() if model.getNSols() else np.inf
    return float(value), float(model.getDualbound()), model.getStatus() == "optimal"


def cpsat(problem: TravelingSalesman, costs: np.ndarray, seconds: float) -> Answer:
    """AddCircuit over both directions of every edge; integer costs only."""
    model = cp_model.CpModel()
    arcs, terms = [], []
    for u, v, c in zip(problem.tails.tolist(), problem.heads.tolist(), costs.tolist(), strict=True):
        for a, b in ((u, v), (v, u)):
            literal = model.new_bool_var("")
            arcs.append((a, b, literal))
            terms.append(literal * round(c))
    model.add_circuit(arcs)
    model.minimize(sum(terms))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(model)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    value = solver.objective_value if found else np.inf
    return float(value), float(solver.best_objective_bound), status == cp_model.OPTIMAL


def _answer(result: OracleResult) -> Answer:
    return float(result.value), float(result.bound), result.is_optimal


def highs(problem: TravelingSalesman, costs: np.ndarray, seconds: float) -> Answer:
    """Mixed-integer solves, subtours added between them."""
    return _answer(problem.solve(oracle="highs", time_limit=seconds, num_workers=1, on_failure="status"))


def ours(problem: TravelingSalesman, costs: np.ndarray, seconds: float) -> Answer:
    """The dedicated oracle."""
    return _answer(problem.solve(oracle="branch_and_cut", time_limit=seconds, num_workers=1))


RIVALS = {"scip": scip, "highs": highs, "cpsat": cpsat}
