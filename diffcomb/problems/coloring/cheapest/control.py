"""DSATUR and TabuCol: the plain heuristics every learned colouring has to beat."""

from __future__ import annotations

import numpy as np

from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.problems.coloring.cheapest.cheap_coloring import cheap_coloring
from diffcomb.problems.coloring.dsatur import dsatur
from diffcomb.problems.coloring.fewest.tabucol import find_coloring
from diffcomb.problems.coloring.graph import Graph
from diffcomb.problems.coloring.graph_coloring import GraphColoring
from diffcomb.problems.problem import Problem


def dsatur_tabucol(graph: Graph, *, seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    """A proper colouring (N,) with few colours: DSATUR, then TabuCol with one colour less until it fails.

    Args:
        seconds: effort of each tabu search, in nominal seconds (counted operations, so runs repeat).
    """
    colors = dsatur(graph, seed=seed)
    while colors.max() > 0:
        fewer = find_coloring(graph, int(colors.max()), seed=seed, seconds=seconds)
        if fewer is None:
            break
        colors = fewer
    return colors


class DsaturTabuCol:
    """A proper K-colouring by DSATUR or TabuCol, then cheap colours by renaming and Kempe chains.

    A heuristic: the colouring is found without a look at the costs. No bound, no proof.
    """

    name = "dsatur_tabucol"
    exact = False

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, GraphColoring)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, GraphColoring)
        effort = 1.0 if options.time_limit is None else min(options.time_limit, 1.0)
        start = find_coloring(problem.graph, problem.num_colors, seed=options.seed, seconds=effort)

        def solve_one(theta: np.ndarray) -> Solved:
            if start is None:
                return Solved(None, -np.inf, Status.UNKNOWN)
            table = theta.reshape(problem.num_vertices, problem.num_colors)
            colors = cheap_coloring(problem.graph, table, start)
            return Solved(problem.decision_of(colors), -np.inf, Status.HEURISTIC)

        return solve_each(solve_one, costs, options)
