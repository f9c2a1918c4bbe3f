"""The pool of lazy rows, and that an instance carries only its own."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse

from diffcomb.problems import TravelingSalesman
from diffcomb.program import Rows
from diffcomb.projection import RoutedProjector
from diffcomb.projection.row_pool import RowPool
from tests.registry import seeded


def _rows(G: list[list[float]], h: list[float]) -> Rows:
    return Rows(sparse.csr_array(np.array(G)), np.array(h))


def test_equal_rows_share_a_place():
    """A row met again, also when scaled, gets the place it has."""
    pool = RowPool(3)
    assert pool.add(_rows([[3, 4, 0], [0, 0, 1]], [5, 0.5])).tolist() == [0, 1]
    assert pool.add(_rows([[0, 1, 0], [6, 8, 0]], [1, 10])).tolist() == [2, 0]
    assert len(pool) == 3
    np.testing.assert_allclose(pool.rows.h, [1.0, 0.5, 1.0])


def test_the_most_violated_come_first():
    """At most two asked for: the two largest excesses, and nothing at a point inside."""
    pool = RowPool(3)
    pool.add(_rows([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [0.5, 0.5, 0.5]))
    found = pool.violated(np.array([[0.6, 0.9, 0.7], [0.1, 0.5, 0.2]]), most=[2, 2])
    assert [places.tolist() for places in found] == [[1, 2], []]


def test_idle_rows_are_dropped_above_the_limit():
    """After `patience` calls without being tight a row goes, and its place is closed."""
    pool = RowPool(2, patience=1, limit=1)
    pool.add(_rows([[1, 0], [0, 1]], [0.5, 0.5]))
    pool.purge(np.array([1]))
    assert len(pool) == 2
    pool.purge(np.array([1]))
    assert len(pool) == 1
    assert pool.add(_rows([[0, 1]], [0.5])).tolist() == [0]


def test_a_batch_solves_like_its_instances_alone():
    """Instances with different violated subtours get in one batch what each gets by itself."""
    problem = TravelingSalesman(10)
    theta = problem.random_costs(8, generator=seeded(3))
    rho, grad = 0.02 * theta.mean(-1), torch.randn(8, problem.num_costs, generator=seeded(4)).double()
    together = RoutedProjector(problem.polytope()).relax(theta, rho)
    pulled = together.adjoint(grad)
    for k in range(8):
        alone = RoutedProjector(problem.polytope()).relax(theta[k : k + 1], rho[k : k + 1])
        torch.testing.assert_close(together.x[k], alone.x[0], rtol=0, atol=1e-11)
        torch.testing.assert_close(
            pulled[k], alone.adjoint(grad[k : k + 1])[0], rtol=1e-8, atol=1e-9 * float(1 / rho[k])
        )
    assert together.kkt_residual.max() < 1e-11
