"""The cone-aligned loss against non-negative least squares on the binding normals."""

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from diffcomb.losses import ConeAlignedLoss
from diffcomb.relaxations import ExactDecision
from tests.losses.cases import NAMES, data, differences, directions_for, gradient_of


@pytest.mark.parametrize("name", [*NAMES, "tsp", "matching"])
def test_cone_projection_is_non_negative_least_squares(name):
    """Against scipy's NNLS on the normals of the rows and bounds that bind at z, lazy rows included."""
    problem, theta, _, z = data(name)
    p = ConeAlignedLoss(ExactDecision(problem)).project(problem, -theta, z)
    polytope = problem.polytope()
    A, G, h = polytope.A.toarray(), polytope.G.toarray(), polytope.h
    if name == "tsp":
        G, h = _subtour_rows(problem)
    if name == "matching":
        G, h = _odd_set_rows(problem, G, h)
    for row in range(3):
        binding = G[np.abs(h - G @ z[row].numpy()) < 1e-9]
        normals = np.vstack([A, -A, binding, np.diag(2 * z[row].numpy() - 1)])
        weights, _ = nnls(normals.T, -theta[row].numpy(), maxiter=10_000)
        torch.testing.assert_close(p[row], torch.from_numpy(normals.T @ weights), rtol=1e-7, atol=1e-7)


def _subtour_rows(problem):
    """x(S) <= |S| - 1 for all S of 2 to m - 2 of m cities."""
    tails, heads = problem.cost_graph().edge_index.numpy()
    m = problem.num_cities
    sets = [s for size in range(2, m - 1) for s in itertools.combinations(range(m), size)]
    G = np.array([np.isin(tails, s) & np.isin(heads, s) for s in sets], dtype=float)
    return G, np.array([len(s) - 1.0 for s in sets])


def _odd_set_rows(problem, G, h):
    """x(S) <= (|S| - 1) / 2 for all odd S, besides the degree rows."""
    tails, heads = problem.cost_graph().edge_index.numpy()
    sets = [s for size in (3, 5, 7) for s in itertools.combinations(range(problem.num_nodes), size)]
    more = np.array([np.isin(tails, s) & np.isin(heads, s) for s in sets], dtype=float)
    return np.vstack([G, more]), np.concatenate([h, [(len(s) - 1) / 2 for s in sets]])


def test_cone_aligned_gradient_and_zero():
    """Finite differences of 1 - ||p|| / ||theta||; zero exactly where z is optimal for theta."""
    problem, theta, _, z = data("assignment")
    loss = ConeAlignedLoss(ExactDecision(problem), interior=0.0)
    directions = directions_for(theta)
    torch.testing.assert_close(
        (directions * gradient_of(loss, theta, z)).sum((1, 2)),
        differences(lambda t: loss(t, z), theta, directions),
        rtol=1e-5,
        atol=1e-7,
    )
    assert float(loss(theta, z)) > 1e-3
    assert abs(float(loss(theta, problem.solve(theta).decision))) < 1e-9
