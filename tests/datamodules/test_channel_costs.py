"""Synthetic transmitter networks: different graphs, repeatable, labelled with optimal colourings."""

import pytest
import torch
from torch_geometric.data import Batch

from datamodules import ChannelCostsDataModule, LearnedCostsDataModule, TransmitterNetworks
from datamodules.transmitters import generate_channel_costs
from diffcomb.errors import InvalidInstanceError, UnsupportedError
from models import ChoiceEncoder, instances, own_problems
from tests.registry import seeded

FAMILY = TransmitterNetworks(num_channels=3, smallest=5, largest=9, interference=1.5)


def _module(folder, **changes) -> ChannelCostsDataModule:
    data = ChannelCostsDataModule(FAMILY, 6, 2, 2, batch_size=6, cache_dir=str(folder), **changes)
    data.prepare_data()
    data.setup()
    return data


def test_networks_repeat_with_their_generator_and_differ_from_each_other():
    """Same seed, same graphs; within the limits of size, and colourable with the channels."""
    first, second = ([FAMILY.draw(g) for _ in range(8)] for g in (seeded(2), seeded(2)))
    assert [p.edges.tolist() for p in first] == [p.edges.tolist() for p in second]
    assert len({p.num_vertices for p in first}) > 1
    assert all(5 <= p.num_vertices <= 9 for p in first)
    assert all(p.solve(p.random_costs(generator=seeded())).is_optimal for p in first)


def test_costs_follow_the_documented_formula():
    """Without noise, c / load depends on the place alone: vertices at one place share it."""
    problem, positions = FAMILY.draw_placed(seeded())
    positions[1] = positions[0]
    drawn = generate_channel_costs(problem, positions, seeded(), degree=2.0, noise=0.0)
    per_load = drawn["costs"].reshape(problem.num_vertices, 3) / drawn["vertices"][:, :1]
    torch.testing.assert_close(per_load[0], per_load[1])
    assert bool((per_load >= 0.3**2).all())


def test_a_batch_holds_different_graphs_with_their_optimal_colourings(tmp_path):
    """Fields come as lists, one vector a graph; the labels are what the oracle of each problem says."""
    batch = next(iter(_module(tmp_path).train_dataloader()))
    (problems,) = own_problems(batch)
    assert len({p.num_costs for p in problems}) > 1
    for problem, costs, decision in zip(
        problems, instances(batch, "costs"), instances(batch, "decisions"), strict=True
    ):
        assert torch.equal(problem.solve(costs.double()).decision.float(), decision)


def test_cached_data_are_read_back_and_belong_to_their_family(tmp_path):
    """A second module reads the same instances; another family or seed has files of its own."""
    first, again = _module(tmp_path), _module(tmp_path)
    for one, two in zip(first.sets["train"], again.sets["train"], strict=True):
        assert torch.equal(one.costs, two.costs)
        assert torch.equal(one.edge_index, two.edge_index)
    count = len(list(tmp_path.iterdir()))
    other = ChannelCostsDataModule(TransmitterNetworks(4, 5, 9, 1.5), 6, 2, 2, cache_dir=str(tmp_path))
    assert not other.cache_file("train").exists()
    _module(tmp_path, seed=1)
    assert len(list(tmp_path.iterdir())) == 2 * count


def test_encoder_is_blind_to_colour_names_and_to_other_graphs_of_the_batch(tmp_path):
    """Renaming colours renames theta; a graph alone gets the theta it gets in a batch."""
    graphs = _module(tmp_path).sets["train"]
    encoder = ChoiceEncoder(2, 1)
    together = encoder(Batch.from_data_list(graphs))
    alone = encoder(Batch.from_data_list(graphs[2:3]))[0]
    torch.testing.assert_close(together[2], alone)
    renamed = graphs[2].clone()
    size, order = renamed.problem.num_vertices, [2, 0, 1]
    renamed.choices = renamed.choices.reshape(size, 3, 1)[:, order].reshape(-1, 1)
    expected = alone.reshape(size, 3)[:, order].reshape(-1)
    torch.testing.assert_close(encoder(Batch.from_data_list([renamed]))[0], expected)


def test_hopeless_families_and_foreign_data_are_refused():
    """Bad sizes, too much interference for the channels, and data of another kind of problem."""
    with pytest.raises(InvalidInstanceError, match="1 <= smallest <= largest"):
        TransmitterNetworks(smallest=9, largest=5)
    with pytest.raises(InvalidInstanceError, match="raise num_channels"):
        TransmitterNetworks(num_channels=1, smallest=9, largest=9, interference=8.0).draw(seeded())
    with pytest.raises(UnsupportedError, match="choose another datamodule"):
        LearnedCostsDataModule(FAMILY)
