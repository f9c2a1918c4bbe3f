"""The staged loss is its first loss for so many steps, then the other; so it learns roads."""

from functools import partial

import torch

from datamodules import RoadsDataModule, RoadTrips
from diffcomb import DecisionLayer
from diffcomb.losses import CostMSELoss, LogCostMSELoss, PerturbationGradientLoss, RegretLoss, StagedLoss
from diffcomb.metrics import normalized_regret
from diffcomb.problems import ShortestPath
from models import RoadEncoder
from tests.registry import seeded


def test_stages_change_after_the_steps():
    """Two training steps of squared error, then the regret; judging without gradients does not count."""
    problem = ShortestPath.grid(3, 3)
    layer = DecisionLayer(problem, rho=1.0, decision="relaxed")
    loss = StagedLoss(layer, CostMSELoss, RegretLoss, steps=2)
    costs = problem.random_costs(4, generator=seeded(0))
    theta = problem.random_costs(4, generator=seeded(1)).requires_grad_()
    assert loss.needs == ("costs",)
    first, then = CostMSELoss(layer)(theta, costs), RegretLoss(layer)(theta, costs)
    with torch.no_grad():
        assert torch.equal(loss(theta, costs), first)
    for expected in (first, first, then, then):
        assert torch.allclose(loss(theta, costs), expected)


def test_log_error_is_relative():
    """Twice and half the cost are equally wrong, on a short link and on a jammed one."""
    costs = torch.tensor([[1.0, 100.0], [2.0, 3.0]])
    for factor in (0.5, 2.0):
        theta = (factor * costs).requires_grad_()
        loss = LogCostMSELoss()(theta, costs)
        assert torch.isclose(loss, torch.tensor(2.0).log().square())
        loss.backward()
        assert torch.allclose(theta.grad * theta, theta.grad[0, 0] * theta[0, 0])


def test_a_road_encoder_learns_to_plan(tmp_path):
    """Forty epochs on a small congested town: regret on its own hours below three quarters of the
    untrained encoder's.
    """
    family = RoadTrips("grid", rows=4, cols=4)
    sizes = {"num_train": 12, "num_val": 1, "num_test": 1, "num_pairs": 8, "trips_per_hour": 6}
    data = RoadsDataModule(family, batch_size=6, congestion=1.5, cache_dir=str(tmp_path), **sizes)
    data.prepare_data()
    data.setup()
    torch.manual_seed(0)
    encoder = RoadEncoder(data.node_features, data.edge_features, hidden=8, num_layers=1)
    layer = DecisionLayer([])
    # forward: the other differences meet negative costs, and with them negative cycles
    forward = partial(PerturbationGradientLoss, difference="forward")
    loss = StagedLoss(layer, LogCostMSELoss, forward, steps=20)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-2)

    def fields(batch):
        counts = [problem.num_costs for problem in batch.problem]
        return batch.costs.split(counts), batch.decisions.split(counts)

    def regret() -> float:
        costs, optima = [], []
        for batch in data.loader(data.sets["train"]):
            with torch.no_grad():
                decided = layer(encoder(batch), batch.problem)
            for c, z, best in zip(fields(batch)[0], decided, fields(batch)[1], strict=True):
                costs.append((c * z).sum())
                optima.append((c * best).sum())
        return float(normalized_regret(torch.stack(costs), torch.stack(optima)))

    start = regret()
    for _ in range(40):
        for batch in data.train_dataloader():
            optimizer.zero_grad()
            loss(encoder(batch), fields(batch)[0], batch.problem).backward()
            optimizer.step()
    assert regret() < 0.75 * start
