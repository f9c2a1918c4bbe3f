"""The linear program over clique rows: where its optimum is a colouring, no search is needed."""

from __future__ import annotations

import highspy
import numpy as np
from scipy import sparse

from diffcomb.problems.coloring.graph_coloring import GraphColoring
from diffcomb.quiet_highs import QuietHighs

#: larger programs take longer than the search would
_ENTRIES = 50_000
_INTEGRAL = 1e-7


def integral_optimum(problem: GraphColoring, costs: np.ndarray) -> np.ndarray | None:
    """Colours (N,) of least cost if the clique relaxation has a 0-1 optimum and is small, else None.

        min sum costs[v, k] x[v, k]  s.t.  sum_k x[v, k] = 1,  x(C, k) <= 1,  x >= 0

    A proof: a colouring that is optimal over a set containing all colourings. By the dual simplex
    method, from the cheapest colour of each vertex.

    Args:
        costs: (N, K).
    """
    num, num_colors = costs.shape
    family = problem.clique_rows.family
    if (family.nnz + num) * num_colors > _ENTRIES:
        return None
    rows = problem.clique_rows.rows_of(family)
    one_each = sparse.kron(sparse.eye_array(num), np.ones((1, num_colors)), format="csr")
    matrix = sparse.csr_array(sparse.vstack([one_each, rows.G], format="csr"))
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = matrix.shape[1], matrix.shape[0]
    program.col_cost_ = costs.reshape(-1)
    program.col_lower_, program.col_upper_ = np.zeros(costs.size), np.full(costs.size, np.inf)
    program.row_lower_ = np.concatenate([np.ones(num), np.full(len(rows), -np.inf)])
    program.row_upper_ = np.ones(matrix.shape[0])
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = matrix.indptr
    program.a_matrix_.index_ = matrix.indices
    program.a_matrix_.value_ = matrix.data
    highs = QuietHighs()
    for name in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
        highs.setOptionValue(name, 1e-9)
    highs.passModel(program)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    x = np.asarray(highs.getSolution().col_value).reshape(num, num_colors)
    if np.abs(x - np.round(x)).max() > _INTEGRAL:
        return None
    return np.asarray(x.argmax(1))
