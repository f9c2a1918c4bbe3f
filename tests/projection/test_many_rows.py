"""All rows at once on the side of the variables: the same solution and adjoint as row by row."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse

from diffcomb.problems import GraphColoring
from diffcomb.program import Program
from diffcomb.projection import RoutedProjector, route
from diffcomb.projection.block_interior import BlockInterior
from tests.graphs import queen_edges
from tests.registry import seeded


def _lazy(problem: GraphColoring) -> GraphColoring:
    """Start without rows, as graphs with thousands of cliques do."""
    rows = problem.clique_rows
    rows.is_lazy, rows.initial = True, rows.initial.__class__.empty(problem.num_costs)
    return problem


#: the queens' board has cliques of as many vertices as colours, whose rows are always tight
PROBLEMS = {
    "random": lambda: _lazy(GraphColoring.random(24, 0.5, 8, generator=seeded(1))),
    "as many colours as the clique": lambda: _lazy(GraphColoring(queen_edges(5, 5), 25, 5)),
}


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "_MANY_ROWS", 1)
    monkeypatch.setattr(route, "_BREAK_EVEN", np.inf)


def _solved(problem: GraphColoring, backward: str, share: float) -> tuple[torch.Tensor, ...]:
    theta = problem.random_costs(3, generator=seeded(2))
    rho = share * theta.mean(-1)
    grad = torch.randn(3, problem.num_costs, generator=seeded(3), dtype=torch.float64)
    solver = RoutedProjector(problem.polytope(), backward=backward)
    relaxed = solver.relax(theta, rho)
    return relaxed.x, rho[:, None] * relaxed.adjoint(grad), relaxed.kkt_residual, relaxed.face_dimension


@pytest.mark.parametrize("share", [1.0, 0.1])
@pytest.mark.parametrize("backward", ["cholesky", "cg"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_all_rows_at_once_agree_with_row_by_row(name, backward, share, request):
    """x to 1e-9, the projected gradient to 1e-7, the same face, a residual as small."""
    x, pulled, _, dimension = _solved(PROBLEMS[name](), "cholesky", share)
    request.getfixturevalue("always")
    x_many, pulled_many, residual, dimension_many = _solved(PROBLEMS[name](), backward, share)
    torch.testing.assert_close(x_many, x, rtol=0, atol=1e-9)
    torch.testing.assert_close(pulled_many, pulled, rtol=0, atol=1e-7)
    assert dimension_many.tolist() == dimension.tolist()
    assert residual.max() < 1e-11


def test_the_gradient_is_that_of_finite_differences(always):
    """d g'x / d theta by central differences; a step of 1e-6 on costs of size 1 errs by about 1e-9 / rho."""
    problem = PROBLEMS["random"]()
    solver = RoutedProjector(problem.polytope())
    theta = problem.random_costs(1, generator=seeded(4))
    rho, grad = theta.mean(-1), torch.randn(1, problem.num_costs, generator=seeded(5), dtype=torch.float64)
    direction = torch.randn(1, problem.num_costs, generator=seeded(6), dtype=torch.float64)
    step = 1e-6
    ends = [(grad * solver.relax(theta + s * step * direction, rho).x).sum() for s in (1, -1)]
    slope = (solver.relax(theta, rho).adjoint(grad) * direction).sum()
    assert float(slope) == pytest.approx(float(ends[0] - ends[1]) / (2 * step), rel=1e-6)
    assert abs(float(slope)) > 1e-3


def test_equations_across_blocks_need_not_select_variables():
    """Two blocks of rows, joined by dense equations: the interior point is near the exact solution."""
    rng = np.random.default_rng(0)
    A = sparse.csr_array(rng.random((2, 12)))
    G = sparse.csr_array(sparse.block_diag([rng.random((5, 6)), rng.random((5, 6))]))
    polytope = Program(A, A @ np.full(12, 0.4), G, G @ np.full(12, 0.5), False)
    cost = rng.standard_normal(12)
    exact = RoutedProjector(polytope).relax(torch.from_numpy(cost)[None], torch.ones(1).double())
    found = BlockInterior(A, polytope.b, G, polytope.h).solve(cost - 0.5, 1.0, 1e-9)
    np.testing.assert_allclose(found.x, exact.x[0].numpy(), atol=1e-6)
