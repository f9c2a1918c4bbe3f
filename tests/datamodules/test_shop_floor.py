"""Synthetic shop-floor data and its picture."""

import torch
from torch_geometric.data import Batch, Data

from datamodules.shop_floor_durations import (
    OPERATION_FEATURES,
    RELATIONS,
    generate_shop_floor,
    operation_graph,
)
from diffcomb import DecisionLayer
from diffcomb.figures.gantt import save_gantt_figure
from diffcomb.losses import PlannedStartLoss
from diffcomb.metrics import normalized_regret
from diffcomb.problems import JobShop
from models import OperationEncoder
from tests.jobshop_cases import random_shop


def test_days_are_seeded_and_have_the_shapes_of_the_operation_graph():
    """The same seed, the same positive durations; one row of features an operation and a relation."""
    problem, _ = random_shop(4, 3)
    first, second = (generate_shop_floor(problem, 5, seed=1) for _ in range(2))
    assert torch.equal(first.costs, second.costs)
    assert bool((first.costs > 0).all())
    assert first.nodes.shape == (5, problem.num_costs, len(OPERATION_FEATURES))
    assert first.edges.shape == (5, operation_graph(problem)[0].shape[1], len(RELATIONS))
    assert bool(torch.isfinite(first.nodes).all())
    assert not torch.equal(first.costs, generate_shop_floor(problem, 5, seed=2).costs)


def test_operation_graph_of_a_known_shop():
    """Two jobs over two machines: one arc along each job, one back, machines shared both ways."""
    edges, relation = operation_graph(JobShop([[0, 1], [1, 0]]))
    kinds = [{tuple(e) for e in edges[:, relation[:, k] == 1].T.tolist()} for k in range(3)]
    assert kinds == [{(0, 1), (2, 3)}, {(1, 0), (3, 2)}, {(0, 3), (3, 0), (1, 2), (2, 1)}]


def test_features_explain_durations_but_not_exactly():
    """Least squares on log durations: between half and all of the variance."""
    problem, _ = random_shop(4, 3)
    data = generate_shop_floor(problem, 200, seed=0)
    x = torch.cat([data.nodes, torch.ones_like(data.nodes[..., :1])], -1).reshape(-1, 10).double()
    x[:, 0] = x[:, 0].log()
    y = data.costs.reshape(-1).double().log()
    residual = y - x @ torch.linalg.lstsq(x, y[:, None], driver="gelsd").solution[:, 0]
    assert 0.5 < 1 - float(residual.var() / y.var()) < 0.99


def test_regret_of_executed_plans_falls():
    """Fifteen full-batch steps of the planned-start loss on twelve days of a 3 x 3 shop: below 0.6 x."""
    problem = JobShop.random(3, 3, seed=0, waiting=0.2)
    days = generate_shop_floor(problem, 12, seed=0)
    edges, relation = operation_graph(problem)
    batch = Batch.from_data_list([Data(x=x, edge_index=edges, edge_attr=relation) for x in days.nodes])
    optimal = problem.realized_cost(problem.solve(days.costs).decision, days.costs)
    torch.manual_seed(0)
    encoder = OperationEncoder(len(OPERATION_FEATURES), len(RELATIONS))
    layer = DecisionLayer(problem)
    loss = PlannedStartLoss(layer, waiting=0.2, idleness=0.0)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.03)

    def regret() -> float:
        with torch.no_grad():
            cost = problem.realized_cost(layer(encoder(batch)), days.costs)
        return float(normalized_regret(cost, optimal))

    start = regret()
    for _ in range(15):
        optimizer.zero_grad()
        loss(encoder(batch), days.costs).backward()
        optimizer.step()
    assert regret() < 0.6 * start


def test_predicted_durations_are_positive_with_and_without_nominal_times():
    """theta is the nominal time times a factor; with `nominal=None` the same network's factor itself."""
    problem, _ = random_shop(3, 3)
    nodes = generate_shop_floor(problem, 2, seed=0).nodes
    edges, relation = operation_graph(problem)
    batch = Batch.from_data_list([Data(x=x, edge_index=edges, edge_attr=relation) for x in nodes])
    encoder = OperationEncoder(len(OPERATION_FEATURES), len(RELATIONS))
    scaled = encoder(batch)
    encoder.nominal = None
    torch.testing.assert_close(scaled, encoder(batch) * nodes[..., 0])
    assert scaled.shape == (2, problem.num_costs)
    assert bool((scaled > 0).all())


def test_gantt_chart_is_written(tmp_path):
    """One picture, two panels."""
    problem, p = random_shop(4, 3)
    z = problem.solve(p).decision
    path = tmp_path / "gantt.png"
    save_gantt_figure(path, problem, {"optimal": (z, p), "later": (z + 3, p)})
    assert path.stat().st_size > 10_000
