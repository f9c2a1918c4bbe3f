"""Losses with a gradient of their own, against enumeration of Z, finite differences and inequalities."""

import io
import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from diffcomb.layers import Perturbation, SeededNoise
from diffcomb.losses import (
    CMAPLoss,
    ConeAlignedLoss,
    LearnedLandscapeLoss,
    ListwiseRankingLoss,
    NCELoss,
    PairwiseRankingLoss,
    PerturbationGradientLoss,
    PerturbedFenchelYoungLoss,
    PointwiseRankingLoss,
    ScoreFunctionLoss,
    SPOPlusLoss,
)
from diffcomb.relaxations import ExactDecision
from tests.registry import LOSSES, all_decisions, make_problem, seeded

NAMES = ["assignment", "shortest_path_grid", "knapsack"]


def data(name):
    """Predicted costs, true costs, optimal decisions."""
    problem = make_problem(name)
    generator = seeded(4)
    theta = problem.random_costs(3, generator=generator)
    costs = problem.random_costs(3, generator=generator)
    return problem, theta, costs, problem.solve(costs).decision


def gradient_of(loss, theta, *supervision):
    leaf = theta.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf, *supervision), leaf)
    return gradient


def value(name, costs):
    """min over Z by enumeration."""
    return (costs @ all_decisions(name).T).amin(-1)


def differences(function, theta, directions, step=1e-6):
    """Directional derivatives of a scalar function of theta (batch, n)."""
    return torch.stack(
        [(function(theta + step * d) - function(theta - step * d)) / (2 * step) for d in directions]
    )


def directions_for(theta, *, keep_scale=False):
    """Five random directions; with keep_scale mean|theta| and ||theta|| stay as they are."""
    drawn = torch.randn(5, *theta.shape, generator=seeded(8), dtype=torch.float64)
    if keep_scale:
        fixed = torch.stack([theta.sign(), theta], -1)  # (batch, n, 2)
        basis = torch.linalg.qr(fixed).Q
        drawn = drawn - (basis @ (basis.mT @ drawn[..., None]))[..., 0]
    return drawn


@pytest.mark.parametrize("name", NAMES)
def test_spo_plus_formula_bound_and_subgradient_inequality(name):
    """Value by enumeration; never below the regret; l(u) >= l(theta) + l'(theta)(u - theta)."""
    problem, theta, costs, z = data(name)
    loss = SPOPlusLoss(ExactDecision(problem))

    def formula(t):
        return (2 * (t * z).sum(-1) - (costs * z).sum(-1) - value(name, 2 * t - costs)).mean()

    torch.testing.assert_close(loss(theta, costs, z), formula(theta))
    regret = (costs * (problem.solve(theta).decision - z)).sum(-1).mean()
    assert float(loss(theta, costs, z)) >= float(regret) - 1e-12
    assert abs(float(loss(costs, costs, z))) < 1e-12
    gradient = gradient_of(loss, theta, costs, z)
    for seed in range(20):
        other = problem.random_costs(3, generator=seeded(100 + seed)) * (1 - seed / 5)
        assert float(formula(other)) >= float(formula(theta) + (gradient * (other - theta)).sum()) - 1e-9
    torch.testing.assert_close(
        (directions_for(theta) * gradient).sum((1, 2)),
        differences(formula, theta, directions_for(theta)),
        rtol=1e-6,
        atol=1e-6,
    )


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
@pytest.mark.parametrize("name", NAMES)
def test_perturbed_fenchel_young_gradient_with_common_noise(name, kind):
    """Finite differences of theta'z - mean min of perturbed costs by enumeration, the noise in common."""
    problem, theta, _, z = data(name)

    def formula(t):
        perturbed, _ = Perturbation(0.4, 5, kind, seed=2)(t)
        return ((t * z).sum(-1) - value(name, perturbed).mean(0)).mean()

    make = lambda: PerturbedFenchelYoungLoss(ExactDecision(problem), 0.4, 5, kind, seed=2)  # noqa: E731
    torch.testing.assert_close(make()(theta, z), formula(theta))
    directions = directions_for(theta, keep_scale=True)
    torch.testing.assert_close(
        (directions * gradient_of(make(), theta, z)).sum((1, 2)),
        differences(formula, theta, directions),
        rtol=1e-6,
        atol=1e-6,
    )


@pytest.mark.parametrize("difference", ["backward", "forward", "central"])
@pytest.mark.parametrize("name", NAMES)
def test_perturbation_gradient_formula_and_bounds(name, difference):
    """Value and gradient by enumeration; backward is above c'z*(theta), forward below."""
    problem, theta, costs, _ = data(name)
    h = 0.7 * (theta.norm(dim=-1) / costs.norm(dim=-1))[:, None]

    def formula(t):
        back, middle, ahead = value(name, t - h * costs), value(name, t), value(name, t + h * costs)
        found = {"backward": middle - back, "forward": ahead - middle, "central": (ahead - back) / 2}
        return (found[difference] / h[:, 0]).mean()

    loss = PerturbationGradientLoss(ExactDecision(problem), 0.7, difference)
    torch.testing.assert_close(loss(theta, costs), formula(theta))
    directions = directions_for(theta)
    torch.testing.assert_close(
        (directions * gradient_of(loss, theta, costs)).sum((1, 2)),
        differences(formula, theta, directions),
        rtol=1e-6,
        atol=1e-6,
    )
    true_cost = float((costs * problem.solve(theta).decision).sum(-1).mean())
    if difference == "backward":
        assert float(formula(theta)) >= true_cost
    if difference == "forward":
        assert float(formula(theta)) <= true_cost


def test_score_function_gradient_is_reinforce_of_the_sampled_costs():
    """Value: mean sampled cost; gradient: leave-one-out REINFORCE written out; any cost function."""
    problem, theta, costs, _ = data("assignment")
    loss = ScoreFunctionLoss(ExactDecision(problem), 0.5, 6, 3, cost=lambda z, c: (c * z).amax(-1))
    s = 0.5 * theta.abs().mean(-1, keepdim=True)
    y = theta + s * SeededNoise("normal", 3)(6, theta)
    f = (costs * problem.solve(y.reshape(-1, 16)).decision.reshape(y.shape)).amax(-1)
    baseline = (f.sum(0) - f) / 5
    expected = ((f - baseline)[..., None] * (y - theta) / s**2).mean(0) / 3
    found = gradient_of(loss, theta, costs)
    torch.testing.assert_close(found, expected)
    again = ScoreFunctionLoss(ExactDecision(problem), 0.5, 6, 3, cost=lambda z, c: (c * z).amax(-1))
    torch.testing.assert_close(again(theta, costs), f.mean())


def _with_full_pool(make, name):
    """A loss in evaluation mode whose pool is all of Z."""
    loss = make(ExactDecision(make_problem(name)))
    loss.pool.add(all_decisions(name))
    return loss.eval()


@pytest.mark.parametrize("name", NAMES)
def test_contrastive_losses_over_all_of_z(name):
    """NCE: gradient z - mean Z. CMAP: gradient z - z*(theta), or z - z*(theta - c) with the shift."""
    _, theta, costs, z = data(name)
    mean = all_decisions(name).mean(0)
    nce = _with_full_pool(NCELoss, name)
    torch.testing.assert_close(gradient_of(nce, theta, costs, z), (z - mean) / 3)
    for shifted, v in ((False, theta), (True, theta - costs)):
        cmap = _with_full_pool(lambda layer, s=shifted: CMAPLoss(layer, s), name)
        torch.testing.assert_close(cmap(theta, costs, z), ((v * z).sum(-1) - value(name, v)).mean())
        rival = all_decisions(name)[(v @ all_decisions(name).T).argmin(-1)]
        torch.testing.assert_close(gradient_of(cmap, theta, costs, z), (z - rival) / 3)


@pytest.mark.parametrize("name", NAMES)
def test_ranking_losses_over_all_of_z(name):
    """Gradients written out: expected decisions, pairs that lose, weighted errors."""
    _, theta, costs, z = data(name)
    members = all_decisions(name)
    unit = costs.abs().mean(-1, keepdim=True)
    listwise = _with_full_pool(lambda layer: ListwiseRankingLoss(layer, 0.5), name)
    p_true, p = (torch.softmax(-(v @ members.T) / (0.5 * unit), -1) for v in (costs, theta))
    expected = (p_true @ members - p @ members) / (0.5 * unit) / 3
    torch.testing.assert_close(gradient_of(listwise, theta, costs, z), expected)

    pairwise = _with_full_pool(lambda layer: PairwiseRankingLoss(layer, 0.2), name)
    lead = (theta * z).sum(-1, keepdim=True) - theta @ members.T + 0.2 * unit
    rivals = (members[None] != z[:, None]).any(-1)
    loses = ((lead > 0) & rivals).double()
    expected = (loses.sum(-1, keepdim=True) * z - loses @ members) / (len(members) - 1) / 3
    torch.testing.assert_close(gradient_of(pairwise, theta, costs, z), expected)

    pointwise = _with_full_pool(PointwiseRankingLoss, name)
    expected = 2 * ((theta - costs) @ members.T) @ members / len(members) / 3
    torch.testing.assert_close(gradient_of(pointwise, theta, costs, z), expected)


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


def test_learned_landscape_fits_the_regret_and_differentiates_its_network():
    """After 40 calls the squared error is below half the variance; gradient by differences in
    evaluation mode; the encoder's backward pass leaves the network's own gradients alone."""
    problem, theta, costs, z = data("assignment")
    loss = LearnedLandscapeLoss(ExactDecision(problem))
    for step in range(40):
        loss(problem.random_costs(3, generator=seeded(step)), costs, z)
    size = int(loss.stored)
    features, regrets = loss.memory[:size, :-1], loss.memory[:size, -1]
    error = (loss.landscape(features)[:, 0].detach() - regrets).square().mean()
    assert float(error) < 0.5 * float(regrets.var())
    loss.eval()
    before = [p.grad.clone() for p in loss.landscape.parameters()]
    gradient = gradient_of(loss, theta, costs, z)
    assert all(torch.equal(a, p.grad) for a, p in zip(before, loss.landscape.parameters(), strict=True))
    directions = directions_for(theta)
    torch.testing.assert_close(
        (directions * gradient).sum((1, 2)),
        differences(lambda t: loss(t, costs, z), theta, directions),
        rtol=1e-5,
        atol=1e-8,
    )


@pytest.mark.parametrize("name", LOSSES)
def test_a_list_of_vectors_costs_the_same_as_the_batch(name):
    """Vectors of one problem given as a list are regrouped into one block."""
    problem, theta, costs, z = data("assignment")
    fields = {"costs": costs, "decisions": z}
    first, second = (LOSSES[name](problem) for _ in range(2))
    supervision = [fields[f] for f in first.needs]
    torch.testing.assert_close(
        second(list(theta), *(list(s) for s in supervision)), first(theta, *supervision)
    )


@pytest.mark.parametrize("name", LOSSES)
def test_training_goes_on_after_a_checkpoint(name):
    """Noise, pools, networks and optimisers are in the state_dict: the next gradient is the same."""
    problem, theta, costs, z = data("assignment")
    fields = {"costs": costs, "decisions": z}
    first = LOSSES[name](problem)
    supervision = [fields[f] for f in first.needs]
    gradient_of(first, theta, *supervision)
    buffer = io.BytesIO()
    torch.save(first.state_dict(), buffer)
    buffer.seek(0)
    resumed = LOSSES[name](problem)
    resumed.load_state_dict(torch.load(buffer, weights_only=True))
    torch.testing.assert_close(
        gradient_of(resumed, theta, *supervision), gradient_of(first, theta, *supervision)
    )


@pytest.mark.parametrize("name", LOSSES)
def test_single_vectors_and_float32(name):
    """A batch of one costs the same as its single vector; float32 in, float32 gradient out."""
    problem, theta, costs, z = data("assignment")
    fields = {"costs": costs.float(), "decisions": z.float()}
    losses = [LOSSES[name](problem) for _ in range(2)]
    supervision = [fields[f] for f in losses[0].needs]
    batch = losses[0](theta[:1].float(), *(s[:1] for s in supervision))
    leaf = theta[0].float().requires_grad_()
    single = losses[1](leaf, *(s[0] for s in supervision))
    torch.testing.assert_close(batch, single)
    single.backward()
    assert leaf.grad.dtype == torch.float32
    assert bool(torch.isfinite(leaf.grad).all())
