"""Dedicated oracle for the cheapest colouring: CP-SAT over clique rows."""

from __future__ import annotations

import time

import numpy as np
from ortools.sat.python import cp_model

from diffcomb.errors import SolveFailedError
from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.problems.coloring.cheapest.cheap_coloring import cheap_coloring
from diffcomb.problems.coloring.cheapest.root import integral_optimum
from diffcomb.problems.coloring.fewest.tabucol import find_coloring
from diffcomb.problems.coloring.graph_coloring import GraphColoring
from diffcomb.problems.problem import Problem

#: costs (largest spread of a vertex 1) are rounded to multiples of this
_GRID = 2.0**-30


class CheapestColoringOracle:
    """The clique relaxation where its optimum is 0-1, else CP-SAT over its rows.

    The rows are x(C, k) <= 1 for all cliques C of the relaxation and colours k, at linearization
    level 2: that lets CP-SAT reason with their linear relaxation; at its default level it fails on
    graphs that are solved at the root otherwise. A Kempe-chain local search gives the first incumbent.
    Colourings returned are verified edge by edge. CP-SAT decides on a grid of costs: its decisions are
    optimal to N 2^-31 times the largest spread max_k theta[v, k] - min_k theta[v, k].
    """

    name = "coloring_cpsat"

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, GraphColoring)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, GraphColoring)
        _ = problem.clique_rows  # built once, before the threads share it
        return solve_each(lambda cost: _solve_one(problem, cost, options), costs, options)


def _solve_one(problem: GraphColoring, cost: np.ndarray, options: Limits) -> Solved:
    deadline = None if options.time_limit is None else time.perf_counter() + options.time_limit
    shape = (problem.num_vertices, problem.num_colors)
    table = cost.reshape(shape)
    lowest = table.min(1)
    # a constant per vertex changes no decision: what CP-SAT sees starts at 0 on every vertex
    relative = table - lowest[:, None]
    scale = float(relative.max()) or 1.0
    # HiGHS compares with absolute tolerances: costs of size 1, whatever their unit
    found = integral_optimum(problem, relative / scale)
    if found is not None:
        if len(problem.graph.conflicts(found)):
            raise SolveFailedError("HiGHS returned a colouring that fails the check edge by edge.")
        return Solved(
            problem.decision_of(found), float(table[np.arange(len(found)), found].sum()), Status.OPTIMAL
        )
    integer = np.round(relative / scale / _GRID).astype(np.int64)

    model = cp_model.CpModel()
    x = np.array([model.new_bool_var("") for _ in range(integer.size)], dtype=object).reshape(shape)
    for v in range(shape[0]):
        model.add_exactly_one(x[v])
    family = problem.clique_rows.family
    for c in range(family.shape[0]):
        members = family.indices[family.indptr[c] : family.indptr[c + 1]]
        for k in range(shape[1]):
            model.add_at_most_one(x[members, k])
    model.minimize(cp_model.LinearExpr.weighted_sum(list(x.ravel()), integer.ravel().tolist()))
    incumbent = None
    start = find_coloring(problem.graph, problem.num_colors, seed=options.seed)
    if start is not None:
        incumbent = cheap_coloring(problem.graph, relative, start)
        for v in range(shape[0]):
            for k in range(shape[1]):
                model.add_hint(x[v, k], bool(incumbent[v] == k))

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = options.seed
    solver.parameters.linearization_level = 2
    if deadline is not None:
        solver.parameters.max_time_in_seconds = max(deadline - time.perf_counter(), 1e-3)
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE and incumbent is None:
        return Solved(None, np.inf, Status.INFEASIBLE)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        chosen = np.array([[solver.boolean_value(one) for one in row] for row in x])
        if not (chosen.sum(1) == 1).all():
            raise SolveFailedError("CP-SAT returned a vertex without exactly one colour.")
        found = chosen.argmax(1)
        rows = np.arange(shape[0])
        if incumbent is None or relative[rows, found].sum() < relative[rows, incumbent].sum():
            incumbent = found
    # rounding moved each of the N chosen costs by at most half a grid step
    reached = solver.best_objective_bound if np.isfinite(solver.best_objective_bound) else 0.0
    bound = float(lowest.sum()) + max(0.0, (reached - shape[0] / 2) * _GRID * scale)
    if incumbent is None:
        return Solved(None, bound, Status.UNKNOWN)
    if len(problem.graph.conflicts(incumbent)) or status == cp_model.INFEASIBLE:
        raise SolveFailedError("CP-SAT contradicts the check of its colouring edge by edge.")
    proven = Status.OPTIMAL if status == cp_model.OPTIMAL else Status.FEASIBLE
    return Solved(problem.decision_of(incumbent), bound, proven)
