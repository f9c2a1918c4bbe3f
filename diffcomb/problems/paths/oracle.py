"""Dedicated shortest path oracle: the right classic for the graph and the costs at hand."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from diffcomb.errors import InvalidCostsError
from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.problems.paths.dag_path import shortest_dag_paths
from diffcomb.problems.paths.dijkstra_path import dijkstra_paths
from diffcomb.problems.paths.shortest_path import ShortestPath
from diffcomb.problems.problem import Problem


class ShortestPathOracle:
    """Acyclic graphs: dynamic programming, compiled, any sign of costs. Graphs with cycles: Dijkstra,
    compiled, for non-negative costs, scipy's Bellman-Ford for negative ones.

    Raises InvalidCostsError when a cycle of negative cost can be reached: the shortest *simple*
    path is then NP-hard, and the MIP backends solve it.
    """

    name = "shortest_path"

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, ShortestPath)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, ShortestPath)
        if problem.order is not None:
            z = shortest_dag_paths(
                costs,
                problem.order,
                problem.first_arc,
                problem.arcs_by_tail,
                problem.tails,
                problem.heads,
                problem.source,
                problem.target,
            )
            return OracleAnswer.proven(z, costs)
        if (costs >= 0).all():
            z = dijkstra_paths(
                costs,
                problem.first_arc,
                problem.arcs_by_tail,
                problem.tails,
                problem.heads,
                problem.source,
                problem.target,
            )
            return OracleAnswer.proven(z, costs)
        return solve_each(lambda cost: _solve_one(problem, cost), costs, options)


def _solve_one(problem: ShortestPath, cost: np.ndarray) -> Solved:
    # of parallel arcs only the cheapest can be used; ties go to the first
    order = np.lexsort((np.arange(problem.num_costs), cost, problem.heads, problem.tails))
    tails, heads = problem.tails[order], problem.heads[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (tails[1:] != tails[:-1]) | (heads[1:] != heads[:-1])
    kept = order[first]
    # scipy drops explicit zeros of sparse graphs when it converts, so arcs of cost 0 are shifted
    # to the smallest positive number
    weights = np.where(cost[kept] == 0, np.finfo(np.float64).tiny, cost[kept])
    graph = sparse.csr_array(
        (weights, (problem.tails[kept], problem.heads[kept])),
        shape=(problem.num_nodes, problem.num_nodes),
    )
    method = csgraph.dijkstra if weights.min() >= 0 else csgraph.bellman_ford
    try:
        _, predecessors = method(graph, indices=problem.source, return_predecessors=True)
    except csgraph.NegativeCycleError:
        raise InvalidCostsError(
            "A cycle of negative cost can be reached from the source, which makes the shortest simple"
            " path NP-hard; use oracle='highs', or keep costs non-negative (softplus)."
        ) from None
    arc_of = {(int(problem.tails[k]), int(problem.heads[k])): int(k) for k in kept}
    z = np.zeros(problem.num_costs)
    node = problem.target
    while node != problem.source:
        before = int(predecessors[node])
        z[arc_of[before, node]] = 1.0
        node = before
    return Solved(z, float(cost @ z), Status.OPTIMAL)
