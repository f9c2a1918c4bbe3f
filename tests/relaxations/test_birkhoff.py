"""The Birkhoff extension: decomposition, closed-form gradient, guarantees, and what truncation breaks."""

from itertools import permutations

import numpy as np
import pytest
import torch

from diffcomb.errors import DiscontinuityWarning, UnknownNameError
from diffcomb.problems import Assignment, TravelingSalesman
from diffcomb.relaxations import Birkhoff, birkhoff_extension, sinkhorn
from diffcomb.relaxations.soft.birkhoff.birkhoff import join_cycles
from diffcomb.relaxations.soft.birkhoff.birkhoff_decomposition import decompose
from diffcomb.relaxations.soft.birkhoff.birkhoff_search import birkhoff_search
from diffcomb.relaxations.soft.decoding.positions import cost_matrix
from diffcomb.relaxations.soft.decoding.tour_decoding import greedy_tours
from tests.registry import seeded


def _interior(n, seed):
    return sinkhorn(torch.randn(n, n, generator=seeded(seed), dtype=torch.float64), 2000)


def _tour_length(n, seed=0):
    """The length of city-by-position permutations, as a black box."""
    D = TravelingSalesman(n).matrix_of(TravelingSalesman(n).random_costs(generator=seeded(seed))[0].numpy())

    def values(found):
        tours = np.argsort(found, -1)
        return D[tours, np.roll(tours, -1, axis=1)].sum(-1)

    return values


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_decomposition_rebuilds_the_matrix_in_the_order_of_the_score(n):
    """Positive weights of sum 1; scores decrease; n^2 - 2n + 2 terms at interior points (Marcus & Ree)."""
    A, S = _interior(n, n).numpy(), np.random.default_rng(n).random((n, n))
    alpha, found, _ = decompose(A, S, 10**6)
    rebuilt = np.zeros((n, n))
    for weight, permutation in zip(alpha, found, strict=True):
        rebuilt[np.arange(n), permutation] += weight
    np.testing.assert_allclose(rebuilt, A, atol=1e-12)
    assert (alpha > 0).all()
    assert len(alpha) == n * n - 2 * n + 2
    assert (np.diff(S[np.arange(n), found].sum(1)) < 1e-12).all()


def test_each_term_is_the_best_permutation_inside_what_is_left():
    """Against all 120 permutations of five, step by step, on a matrix with zeros."""
    rng = np.random.default_rng(0)
    A = np.zeros((5, 5))
    for weight in rng.dirichlet(np.ones(6)):
        A[np.arange(5), rng.permutation(5)] += weight
    S, left = rng.random((5, 5)), A.copy()
    everything = np.array(list(permutations(range(5))))
    for weight, permutation in zip(*decompose(A, S, 10**6)[:2], strict=True):
        inside = everything[(left[np.arange(5), everything] > 1e-12).all(1)]
        best = inside[S[np.arange(5), inside].sum(1).argmax()]
        np.testing.assert_array_equal(permutation, best)
        assert abs(weight - left[np.arange(5), best].min()) < 1e-12
        left[np.arange(5), best] -= weight
    assert left.max() < 1e-12


@pytest.mark.parametrize("n", [5, 6, 8])
def test_gradient_agrees_with_finite_differences_along_feasible_directions(n):
    """Between doubly stochastic matrices, which keep row and column sums, to a relative 1e-4."""
    f, S = _tour_length(n), np.random.default_rng(n).random((n, n))
    for seed in range(5):
        A = _interior(n, 10 + seed).requires_grad_()
        birkhoff_extension(A[None], f, S).value.sum().backward()
        direction = _interior(n, 50 + seed) - A.detach()
        h = 1e-7
        forward, back = (birkhoff_extension((A.detach() + s * direction)[None], f, S).value for s in (h, -h))
        slope = float((forward - back) / (2 * h))
        assert abs(float((A.grad * direction).sum()) - slope) < 1e-4 * (1 + abs(slope))


@pytest.mark.filterwarnings("ignore::diffcomb.errors.DiscontinuityWarning")
@pytest.mark.parametrize("max_terms", [None, 5])
def test_rounding_is_never_worse_than_the_extension(max_terms):
    """f(best term) <= F, equality and F = f at permutations."""
    f, S = _tour_length(6), np.random.default_rng(0).random((6, 6))
    matrices = torch.stack([_interior(6, seed) for seed in range(20)])
    found = birkhoff_extension(matrices, f, S, max_terms)
    assert (found.rounded <= found.value.numpy() + 1e-12).all()
    np.testing.assert_allclose(f(found.permutation), found.rounded)
    permutation = np.array([[2, 0, 1, 5, 3, 4]])
    corner = torch.zeros(1, 6, 6, dtype=torch.float64)
    corner[0, torch.arange(6), torch.from_numpy(permutation[0])] = 1.0
    at_corner = birkhoff_extension(corner, f, S, max_terms)
    np.testing.assert_allclose(at_corner.value.numpy(), f(permutation))
    np.testing.assert_array_equal(at_corner.permutation, permutation)


def test_truncation_jumps_where_the_extension_is_continuous():
    """On segments the truncated value has steps tenfold those of the full one; it is flagged."""
    f, S = _tour_length(6), np.random.default_rng(0).random((6, 6))
    share = torch.linspace(0, 1, 501, dtype=torch.float64)[:, None, None]
    largest = {None: 0.0, 5: 0.0}
    for seed in range(8):
        start, end = _interior(6, seed), _interior(6, seed + 8)
        for terms in largest:
            value = birkhoff_extension(start + share * (end - start), f, S, terms).value
            largest[terms] = max(largest[terms], float(value.diff().abs().max()))
    assert largest[5] > 10 * largest[None]
    with pytest.warns(DiscontinuityWarning, match="max_terms=5"):
        layer = Birkhoff(Assignment(6), max_terms=5).train()
    layer(Assignment(6).random_costs(1, generator=seeded()))
    assert layer.last.discontinuous
    full_layer = Birkhoff(Assignment(6)).train()
    full_layer(Assignment(6).random_costs(1, generator=seeded()))
    assert not full_layer.last.discontinuous


def test_linear_functions_are_their_own_extension():
    """For the assignment problem x = A, and its gradient is that of Sinkhorn's matrix."""
    problem = Assignment(4)
    theta = problem.random_costs(2, generator=seeded()).requires_grad_()
    weight = torch.randn(2, 16, generator=seeded(1), dtype=torch.float64)
    layer = Birkhoff(problem, normalize=False).train()
    A = sinkhorn(-(theta / theta.abs().mean(-1, keepdim=True)).reshape(2, 4, 4) / 0.2, 50).reshape(2, 16)
    torch.testing.assert_close(layer(theta), A, atol=1e-6, rtol=0)
    (ours,) = torch.autograd.grad((layer(theta) * weight).sum(), theta)
    (direct,) = torch.autograd.grad((A * weight).sum(), theta)
    torch.testing.assert_close(ours, direct, rtol=1e-3, atol=1e-4)


def test_tour_layer_agrees_with_finite_differences():
    """x is a combination of tours with degrees 2, and moves with theta as its gradient says."""
    problem = TravelingSalesman(6)
    layer = Birkhoff(problem, normalize=False, tau=0.5).train()
    theta = problem.random_costs(2, generator=seeded(4)).requires_grad_()
    x = layer.soft(problem, theta)
    D = cost_matrix(problem, x.detach())
    torch.testing.assert_close(D.sum(-1), torch.full((2, 6), 2.0, dtype=torch.float64))
    weight = torch.randn(x.shape, generator=seeded(1), dtype=torch.float64)
    (gradient,) = torch.autograd.grad((x * weight).sum(), theta)
    direction = torch.randn(x.shape, generator=seeded(2), dtype=torch.float64)
    with torch.no_grad():
        up, down = ((layer.soft(problem, theta + s * direction) * weight).sum() for s in (1e-6, -1e-6))
    slope = float((up - down) / 2e-6)
    assert abs(float((gradient * direction).sum()) - slope) < 1e-2 * (1 + abs(slope))


def test_dynamic_score_is_never_worse_than_the_decision_it_starts_from():
    """Judged tours cost at most the greedy tour of theta; joined cycles are tours."""
    problem = TravelingSalesman(9)
    theta = problem.random_costs(10, generator=seeded())
    z = Birkhoff(problem).eval()(theta)
    greedy = greedy_tours(problem, theta)
    assert ((theta * z).sum(-1) <= (theta * greedy).sum(-1) + 1e-9).all()
    joined = join_cycles(np.array([[1, 0, 3, 2, 4], [1, 2, 3, 4, 0]]))
    np.testing.assert_array_equal(joined, [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]])


def test_search_solves_a_small_quadratic_assignment():
    """min over the 120 permutations of five of sum F_ij D_p(i)p(j), a black box to the search."""
    rng = np.random.default_rng(1)
    F, D = rng.random((5, 5)), rng.random((5, 5))

    def values(found):
        return np.array([(F * D[np.ix_(p, p)]).sum() for p in found])

    best = values(np.array(list(permutations(range(5))))).min()
    found = birkhoff_search(values, 5, steps=60, rate=0.05)
    assert abs(found.value - best) < 1e-9
    with pytest.raises(UnknownNameError, match="static, dynamic"):
        birkhoff_search(values, 5, score="constant")
