"""Contrastive and ranking losses whose pool is all of Z."""

import pytest
import torch

from diffcomb.losses import CMAPLoss, ListwiseRankingLoss, NCELoss, PairwiseRankingLoss, PointwiseRankingLoss
from diffcomb.losses.pool.affine_costs import AffineCosts
from diffcomb.problems import MixedIntegerProgram
from diffcomb.relaxations import ExactDecision
from tests.losses.cases import NAMES, data, gradient_of, value
from tests.registry import all_decisions, make_problem


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


def test_pooled_costs_have_the_sense_and_the_known_costs_of_a_cost_map():
    """sense="max", one predicted number for two gains each, and a known gain: minus the objective."""
    C = [[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]
    problem = MixedIntegerProgram(
        G=[[1.0, 1.0, 1.0]], h=[2.0], sense="max", cost_map=C, known_costs=[0.0, 0.5, 0.0]
    )
    z = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]], dtype=torch.float64)
    theta = torch.tensor([[3.0, 4.0]], dtype=torch.float64)
    expected = torch.tensor([[-(3.0 + 6.5), -(6.5 + 4.0)]], dtype=torch.float64)
    torch.testing.assert_close(AffineCosts.of(problem, z).all(theta), expected)
