"""Dedicated shortest path oracle: the right classic for the graph and the costs at hand."""

from __future__ import annotations

import numpy as np

from diffcomb.errors import InvalidCostsError
from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.oracles.clock import Clock
from diffcomb.oracles.magnitudes import summable
from diffcomb.problems.paths.dag_path import shortest_dag_paths
from diffcomb.problems.paths.dijkstra_path import dijkstra_paths
from diffcomb.problems.paths.exact_path import FINISHED, NEGATIVE_CYCLE, Labels, relax
from diffcomb.problems.paths.shortest_path import ShortestPath
from diffcomb.problems.paths.walk import walk_back
from diffcomb.problems.problem import Problem

#: arcs between two looks at the clock
_ARCS = 5_000_000


class ShortestPathOracle:
    """Acyclic graphs: dynamic programming, compiled, any sign of costs. Graphs with cycles: Dijkstra for
    non-negative costs, Bellman-Ford for negative ones, compiled.

    Where a path has arcs so expensive that rounding hides the others, Bellman-Ford decides in twice the
    precision.

    Raises InvalidCostsError when a cycle of negative cost can be reached: the shortest *simple*
    path is then NP-hard, and the MIP backends solve it.
    """

    name = "shortest_path"

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, ShortestPath)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, ShortestPath)
        lowest = float(costs.min(initial=0.0))
        if problem.order is None and lowest < 0.0:
            return solve_each(lambda cost: _solve_exactly(problem, cost, options), costs, options)
        rows = max(1, _ARCS // problem.num_costs)
        if len(costs) <= rows:
            z, doubtful = _shortest_paths(problem, costs, lowest)
        else:
            clock, parts = Clock(), []
            for start in range(0, len(costs), rows):
                clock.is_up()
                parts.append(_shortest_paths(problem, costs[start : start + rows], lowest))
            z, doubtful = (np.concatenate(part) for part in zip(*parts, strict=True))
        for row in np.flatnonzero(doubtful):
            exact = _solve_exactly(problem, costs[row], Limits())
            assert exact.decision is not None
            z[row] = exact.decision
        return OracleAnswer.proven(z, costs)


def _shortest_paths(problem: ShortestPath, costs: np.ndarray, lowest: float) -> tuple[np.ndarray, np.ndarray]:
    """Paths (batch, n) in float64, and (batch,) whether that may not do."""
    ends = (problem.source, problem.target)
    found: tuple[np.ndarray, np.ndarray]
    if problem.order is not None:
        found = shortest_dag_paths(costs, problem.order, problem.arcs, ends, lowest)
    else:
        found = dijkstra_paths(costs, problem.arcs, ends)
    return found


def _solve_exactly(problem: ShortestPath, cost: np.ndarray, options: Limits) -> Solved:
    clock, (scaled, _) = Clock.of(options), summable(cost)
    labels = Labels.at(problem.source, problem.num_nodes)
    while (outcome := relax(scaled, problem.arcs, problem.source, labels, _ARCS)) != FINISHED:
        if outcome == NEGATIVE_CYCLE:
            raise InvalidCostsError(
                "A cycle of negative cost can be reached from the source, which makes the shortest simple"
                " path NP-hard; use oracle='highs', or keep costs non-negative (softplus)."
            )
        if clock.is_up():
            return Solved(None, -np.inf, Status.UNKNOWN)
    z = np.zeros(problem.num_costs)
    walk_back(labels.arc_into, problem.arcs.tails, (problem.source, problem.target), scaled, 0.0, z)
    with np.errstate(over="ignore"):
        return Solved(z, float(cost @ z), Status.OPTIMAL)
