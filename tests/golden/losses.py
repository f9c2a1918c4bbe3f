"""Values and gradients of losses, and of what replaces the layer. Public interface only."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffcomb import (
    DecisionLayer,
    FenchelYoungLoss,
    RegretLoss,
    SmoothedSPOPlusLoss,
    optimal_value,
    relaxations,
)
from diffcomb.losses import ConeAlignedLoss, SPOPlusLoss
from diffcomb.problems import Problem
from tests.golden.answers import Found, costs_of, pulled_back
from tests.golden.inputs import Inputs
from tests.registry import make_problem

#: the same call as the layer with another derivative; those that draw nothing at random
_ESTIMATORS: dict[str, Callable[[Problem], torch.nn.Module]] = {
    "qptl": relaxations.QPTL,
    "sparsemap": relaxations.SparseMAP,
    "lpgd": relaxations.LPGD,
    "lpgd upper": lambda p: relaxations.LPGD(p, mode="upper"),
    "black_box": relaxations.BlackBoxDifferentiation,
    "negative_identity": relaxations.NegativeIdentity,
}


def losses_and_estimators(name: str, inputs: Inputs) -> Found:
    """Values and gradients of losses of theta, and gradients of what replaces the layer."""
    problem = make_problem(name)
    theta, costs = costs_of(inputs, name, problem, 2), costs_of(inputs, name, problem, 2, "costs")
    z = problem.solve(costs).decision
    layer = DecisionLayer(problem, rho=0.5 * theta.abs().mean(-1), decision="relaxed")
    automatic = DecisionLayer(problem, decision="relaxed")
    exact = relaxations.ExactDecision(problem)
    losses: dict[str, Callable[[Tensor], Tensor]] = {
        "fenchel_young": lambda t: FenchelYoungLoss(layer)(t, z),
        "fenchel_young, rho auto": lambda t: FenchelYoungLoss(automatic)(t, z),
        "smoothed_spo_plus": lambda t: SmoothedSPOPlusLoss(layer)(t, costs, z),
        "regret": lambda t: RegretLoss(layer)(t, costs),
        "spo_plus": lambda t: SPOPlusLoss(exact)(t, costs, z),
        "cone_aligned": lambda t: ConeAlignedLoss(exact)(t, z),
        "cone_aligned, exact": lambda t: ConeAlignedLoss(exact, interior=0.0)(t, z),
        "optimal_value": lambda t: optimal_value(problem, t).sum(),
    }
    found: Found = {}
    one = torch.ones((), dtype=torch.float64)
    for key, loss in losses.items():
        found[f"{key}: value"], (found[f"{key}: gradient"],) = pulled_back(loss, one, theta)
    g = inputs.gradient(f"{name}/g", theta)
    for key, make in _ESTIMATORS.items():
        found[f"{key}: decision"], (found[f"{key}: pull-back"],) = pulled_back(make(problem), g, theta)
    return found
