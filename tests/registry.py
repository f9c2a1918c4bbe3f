"""What the contract suite runs over. One line here enrols a problem, a solver or a loss in all of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import torch
from torch import nn

from diffcomb import DecisionLayer, relaxations
from diffcomb.losses import (
    CMAPLoss,
    ConeAlignedLoss,
    CostMSELoss,
    FenchelYoungLoss,
    LearnedLandscapeLoss,
    ListwiseRankingLoss,
    LogCostMSELoss,
    NCELoss,
    OptimalValueLoss,
    PairwiseRankingLoss,
    PerturbationGradientLoss,
    PerturbedFenchelYoungLoss,
    PerturbedSPOPlusLoss,
    PointwiseRankingLoss,
    RegretLoss,
    ScoreFunctionLoss,
    SmoothedSPOPlusLoss,
    SPOPlusLoss,
    StagedLoss,
)
from diffcomb.problems import (
    Assignment,
    BinaryProgram,
    GraphColoring,
    Knapsack,
    Matching,
    MinCostFlow,
    Problem,
    SetCover,
    ShortestPath,
    TravelingSalesman,
)
from diffcomb.projection import ACCURATE_SOLVERS
from diffcomb.relaxations import DIMES, Birkhoff, GumbelSinkhorn, GumbelSoftmax
from diffcomb.relaxations.soft.soft_decision import SoftDecision

#: small enough that all of {0,1}^n can be tried
PROBLEMS: dict[str, Callable[[], Problem]] = {
    "tsp": lambda: TravelingSalesman(6),
    "shortest_path_grid": lambda: ShortestPath.grid(3, 4),
    "shortest_path_cyclic": lambda: ShortestPath(
        [(0, 1), (1, 2), (2, 1), (0, 2), (2, 3), (1, 3), (3, 0), (2, 4), (3, 4)], 5, 0, 4
    ),
    "assignment": lambda: Assignment(4),
    "coloring": lambda: GraphColoring([(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (3, 4)], 5, 3),
    "knapsack": lambda: Knapsack([[3, 5, 2, 7, 4, 6, 1, 5, 3, 2], [4, 1, 6, 2, 3, 5, 2, 1, 6, 4]], [18, 17]),
    "matching": lambda: Matching(
        [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (4, 5), (3, 5), (5, 6), (6, 0), (1, 4)], 7
    ),
    "perfect_matching": lambda: Matching(
        [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (4, 5), (3, 5), (5, 0), (1, 4)], 6, perfect=True
    ),
    "min_cost_flow": lambda: MinCostFlow(
        [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4), (1, 4), (0, 3)], [2, 0, 0, -1, -1]
    ),
    "set_cover": lambda: SetCover([[0, 1, 2], [1, 3], [2, 4], [3, 4, 5], [0, 5], [1, 4], [2, 3]], 6),
    "binary_program": lambda: BinaryProgram(
        A=[[1, 1, 1, 0, 0, 0, 0, 0]], b=[1], G=[[3, -2, 4, 5, 2, 6, 1, 3], [0, 1, 0, 1, 0, 1, 0, 1]], h=[8, 2]
    ),
    "binary_program_with_cuts": lambda: BinaryProgram(
        G=[[5, 5, 5, 4, 4, 3], [0, 1, 1, 1, 0, 0], [1, -2, 0, 0, 2, 3]], h=[12, 1, 3], cuts=True
    ),
}

#: relaxed in training, feasible when judged: name -> (relaxation, problems it is tested on)
SOFT_DECISIONS: dict[str, tuple[Callable[..., SoftDecision], list[Problem]]] = {
    "gumbel_softmax": (
        GumbelSoftmax,
        [
            TravelingSalesman(7),
            GraphColoring([(0, 1), (1, 2), (2, 0), (2, 3)], 4, 3),
            Knapsack([3, 5, 2, 7], 9),
        ],
    ),
    "gumbel_softmax_hard": (partial(GumbelSoftmax, hard=True), [TravelingSalesman(7)]),
    "gumbel_sinkhorn": (partial(GumbelSinkhorn, steps=10), [Assignment(4), TravelingSalesman(7)]),
    "gumbel_sinkhorn_successor": (partial(GumbelSinkhorn, form="successor"), [TravelingSalesman(7)]),
    "birkhoff": (Birkhoff, [Assignment(4), TravelingSalesman(7)]),
    "birkhoff_dynamic": (partial(Birkhoff, score="dynamic", two_opt=True), [TravelingSalesman(7)]),
    "birkhoff_position": (partial(Birkhoff, form="position", steps=10), [TravelingSalesman(7)]),
    "dimes": (partial(DIMES, num_neighbors=4), [TravelingSalesman(7)]),
    "dimes_search": (partial(DIMES, decoder="sampling", search_steps=3), [TravelingSalesman(7)]),
}

CONVEX_SOLVERS = list(ACCURATE_SOLVERS)

#: same call as the layer, trained with RegretLoss; the contract and the learning test run over it
RELAXATIONS: dict[str, Callable[[Problem], nn.Module]] = {
    "black_box": relaxations.BlackBoxDifferentiation,
    "negative_identity": relaxations.NegativeIdentity,
    "imle": relaxations.IMLE,
    "adaptive_imle": relaxations.AdaptiveIMLE,
    "perturbed_optimizer": relaxations.PerturbedOptimizer,
    "lpgd": relaxations.LPGD,
    "qptl": relaxations.QPTL,
    "sparsemap": relaxations.SparseMAP,
    "mipaal": relaxations.MIPaaL,
    "straight_through": relaxations.StraightThrough,
    "finite_differences": relaxations.FiniteDifferences,
    "random_differences": lambda p: relaxations.FiniteDifferences(p, num_directions=4),
    "perturbed_optimizer_multiplicative": lambda p: relaxations.PerturbedOptimizer(p, kind="multiplicative"),
    "perturbed_optimizer_absolute": lambda p: relaxations.PerturbedOptimizer(p, kind="absolute"),
}


def _relaxed(problem: Problem) -> DecisionLayer:
    return DecisionLayer(problem, decision="relaxed")


#: losses over a layer, trained through it
LOSSES: dict[str, Callable[[Problem], nn.Module]] = {
    "regret": lambda p: RegretLoss(_relaxed(p)),
    "fenchel_young": lambda p: FenchelYoungLoss(_relaxed(p)),
    "smoothed_spo_plus": lambda p: SmoothedSPOPlusLoss(_relaxed(p)),
    "cost_error": lambda p: CostMSELoss(_relaxed(p)),
    "spo_plus": lambda p: SPOPlusLoss(relaxations.ExactDecision(p)),
    "perturbed_fenchel_young": lambda p: PerturbedFenchelYoungLoss(relaxations.ExactDecision(p)),
    "perturbed_fenchel_young_multiplicative": lambda p: PerturbedFenchelYoungLoss(
        relaxations.ExactDecision(p), kind="multiplicative"
    ),
    "perturbed_spo_plus": lambda p: PerturbedSPOPlusLoss(relaxations.ExactDecision(p)),
    "perturbation_gradient": lambda p: PerturbationGradientLoss(relaxations.ExactDecision(p)),
    "score_function": lambda p: ScoreFunctionLoss(relaxations.ExactDecision(p)),
    "nce": lambda p: NCELoss(relaxations.ExactDecision(p)),
    "cmap": lambda p: CMAPLoss(relaxations.ExactDecision(p)),
    "listwise": lambda p: ListwiseRankingLoss(relaxations.ExactDecision(p)),
    "pairwise": lambda p: PairwiseRankingLoss(relaxations.ExactDecision(p)),
    "pointwise": lambda p: PointwiseRankingLoss(relaxations.ExactDecision(p)),
    "learned_landscape": lambda p: LearnedLandscapeLoss(relaxations.ExactDecision(p)),
    "cone_aligned": lambda p: ConeAlignedLoss(relaxations.ExactDecision(p)),
}

#: those that the learning test leaves out: not made for regret, or for positive costs alone
OTHER_LOSSES: dict[str, Callable[[Problem], nn.Module]] = {
    "optimal_value": lambda p: OptimalValueLoss(relaxations.ExactDecision(p)),
    "log_cost_error": lambda p: LogCostMSELoss(),
    "staged": lambda p: StagedLoss(relaxations.ExactDecision(p), CostMSELoss, SPOPlusLoss, steps=1),
}

ALL_LOSSES = LOSSES | OTHER_LOSSES

#: k where predictions and costs in another unit, s times as large, give s^k times the gradient; 0 elsewhere.
#: Squared errors grow with the unit, probabilities and angles shrink with it.
GRADIENT_DEGREES = {
    "cost_error": 1,
    "optimal_value": 1,
    "pointwise": 1,
    "staged": 1,
    "listwise": -1,
    "learned_landscape": -1,
    "cone_aligned": -1,
    "log_cost_error": -1,
}


@cache
def make_problem(name: str) -> Problem:
    return PROBLEMS[name]()


@cache
def all_decisions(name: str) -> torch.Tensor:
    """Every member of Z (count, n), by trying all 0-1 vectors."""
    problem = make_problem(name)
    n = problem.num_costs
    found = []
    for start in range(0, 2**n, 2**15):
        codes = np.arange(start, min(start + 2**15, 2**n))
        z = torch.from_numpy(((codes[:, None] >> np.arange(n)) & 1).astype(np.float64))
        found.append(z[problem.is_feasible(z)])
    return torch.cat(found)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
