"""Encoders: one cost an object, of the right sign and scale, blind to how things are numbered."""

import pytest
import torch
from torch_geometric.data import Batch, Data

from datamodules import (
    ChannelCostsDataModule,
    LearnedCostsDataModule,
    RoadsDataModule,
    RoadTrips,
    ShopFloorDataModule,
    TransmitterNetworks,
)
from diffcomb.problems import JobShop, Knapsack, Problem, ShortestPath, TravelingSalesman
from models import ChoiceEncoder, CostEncoder, OperationEncoder, RoadEncoder
from models.batch_fields import in_precision


def _cost_batch(problem: Problem, count: int = 3) -> Batch:
    return LearnedCostsDataModule(problem).sample(count)


def _encoder(kind: type, data: object, **options: object) -> torch.nn.Module:
    torch.manual_seed(0)
    return kind(data.node_features, data.edge_features, **options).double()


@pytest.mark.parametrize(
    "problem",
    [TravelingSalesman(5), ShortestPath.grid(3, 3), Knapsack([3, 5, 2], 7)],
    ids=lambda p: type(p).__name__,
)
@pytest.mark.parametrize("num_layers", [0, 2])
def test_cost_encoder_predicts_one_signed_cost_an_edge(problem, num_layers):
    """(batch, n), all with the problem's sign, with a gradient in every weight that is used."""
    batch = _cost_batch(problem)
    encoder = CostEncoder(
        LearnedCostsDataModule.node_features,
        LearnedCostsDataModule.edge_features,
        num_layers=num_layers,
        cost_sign=problem.cost_sign,
    )
    theta = encoder(batch)
    assert theta.shape == (3, problem.num_costs)
    assert bool((problem.cost_sign * theta > 0).all())
    theta.square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in encoder.parameters())


def test_cost_encoder_does_not_see_the_batch_around_an_instance():
    """An instance alone is predicted as in a batch: edges are counted from its own graph."""
    batch = in_precision(_cost_batch(TravelingSalesman(5)), torch.float64)
    encoder = _encoder(CostEncoder, LearnedCostsDataModule)
    together = encoder(batch)
    alone = torch.cat([encoder(Batch.from_data_list([one])) for one in batch.to_data_list()])
    torch.testing.assert_close(alone, together)


def test_cost_encoder_commutes_with_renaming_nodes():
    """Cities in another order, each edge with its ends turned round: the same costs."""
    (graph,) = _cost_batch(TravelingSalesman(5), 1).to_data_list()
    graph = in_precision(graph, torch.float64)
    order = torch.tensor([3, 1, 4, 0, 2])
    named = torch.empty_like(order)
    named[order] = torch.arange(5)
    turned = Data(
        x=graph.x[order],
        edge_index=named[graph.edge_index].flip(0),
        edge_attr=graph.edge_attr,
        cost_edges=graph.cost_edges,
    )
    encoder = _encoder(CostEncoder, LearnedCostsDataModule)
    first, second = (encoder(Batch.from_data_list([one])) for one in (graph, turned))
    torch.testing.assert_close(first, second)


def test_operation_encoder_scales_with_nominal_times():
    """(batch, n) positive durations; without a nominal column it predicts them outright."""
    problem = JobShop.random(3, 2, seed=0)
    data = ShopFloorDataModule(problem)
    batch = data.sample(2)
    theta = OperationEncoder(data.node_features, data.edge_features)(batch)
    plain = OperationEncoder(data.node_features, data.edge_features, nominal=None)(batch)
    assert theta.shape == plain.shape == (2, problem.num_costs)
    assert bool((theta > 0).all())
    assert bool((plain > 0).all())


def test_choice_encoder_commutes_with_renaming_colours():
    """Colours exchanged in the readings exchange the columns of the costs; graphs differ in size."""
    family = TransmitterNetworks(num_channels=3, smallest=5, largest=8, interference=1.5)
    batch = (
        ChannelCostsDataModule(family).sample(3).apply(lambda t: t.double() if t.is_floating_point() else t)
    )
    encoder = _encoder(ChoiceEncoder, ChannelCostsDataModule)
    before = encoder(batch)
    batch.choices = batch.choices.reshape(-1, 3)[:, [2, 0, 1]].reshape(-1, 1)
    for problem, theta, exchanged in zip(batch.problem, before, encoder(batch), strict=True):
        assert theta.shape == (problem.num_costs,)
        torch.testing.assert_close(exchanged.reshape(-1, 3), theta.reshape(-1, 3)[:, [2, 0, 1]])


def test_road_encoder_is_never_faster_than_free_flow():
    """A time a link, at least its free-flow time; a trip's costs are the times of its links."""
    data = RoadsDataModule(RoadTrips(rows=4, cols=4), num_pairs=6, trips_per_hour=3)
    batch = data.sample(2)
    encoder = RoadEncoder(data.node_features, data.edge_features)
    times = encoder.link_times(batch)
    assert bool((times >= batch.edge_attr[:, 0]).all())
    for theta, links in zip(encoder(batch), batch.link_index, strict=True):
        assert torch.equal(theta, times[links])
