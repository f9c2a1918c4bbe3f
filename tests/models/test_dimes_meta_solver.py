"""The meta-solver: its size, its networks' symmetry, its two loops, and its refusals."""

import numpy as np
import pytest
import torch

from datamodules import UniformTSPDataModule
from diffcomb.errors import UnsupportedError
from diffcomb.problems import Assignment, TravelingSalesman
from diffcomb.relaxations.soft.decoding.tour_search import reinforce
from models import DimesMetaSolver
from models.dimes_networks import EmbNet, ParNet


@pytest.fixture
def batch(tmp_path):
    data = UniformTSPDataModule(TravelingSalesman(12), 6, 2, 2, batch_size=3, cache_dir=str(tmp_path))
    data.prepare_data()
    data.setup()
    return next(iter(data.train_dataloader()))


def test_published_size():
    """Twelve layers of width 32 and a three-layer head have the 67,201 parameters of the original."""
    networks = (EmbNet(2, 32, 12), ParNet(32))
    assert sum(p.numel() for net in networks for p in net.parameters()) == 67_201


def test_embedding_commutes_with_renaming_cities():
    """Permuting cities permutes the logits and changes nothing else."""
    torch.manual_seed(0)
    embed, head = EmbNet(2, 8, 2).double(), ParNet(8).double()
    points = torch.rand(1, 6, 2, dtype=torch.float64)
    order = torch.tensor([3, 1, 5, 0, 2, 4])

    def dense(x):
        distance = torch.cdist(x, x) + 10 * torch.eye(6)
        neighbours = distance.topk(3, largest=False).indices
        logits = head(embed(x, neighbours, distance.gather(-1, neighbours)))
        return torch.zeros(1, 6, 6, dtype=torch.float64).scatter(-1, neighbours, logits)

    torch.testing.assert_close(dense(points[:, order]), dense(points)[:, order][:, :, order])


def test_copied_weights_are_one_set_an_instance():
    """With copies the head computes the same; changing one copy changes one instance."""
    head = ParNet(8)
    embedding = torch.randn(2, 5, 3, 8, generator=torch.Generator().manual_seed(0))
    copies = head.copies(2)
    torch.testing.assert_close(head(embedding, copies), head(embedding))
    copies[0][1] += 1.0
    changed = head(embedding, copies)
    torch.testing.assert_close(changed[0], head(embedding)[0])
    assert not torch.allclose(changed[1], head(embedding)[1])


def test_inner_loop_shortens_expected_tours(batch):
    """Thirty inner steps bring the expected length to at most 90 % of its start."""
    torch.manual_seed(0)
    module = DimesMetaSolver(TravelingSalesman(12), 2, 1, num_neighbors=6, width=16, num_layers=2)
    nodes, neighbours, cost = module.graph(batch)
    embedding = module.embedding(nodes, neighbours, cost)
    around = neighbours.numpy()
    lengths = [module.adapt(embedding, around, cost, steps, np.random.default_rng(0))[2] for steps in (0, 30)]
    assert lengths[1] < 0.9 * lengths[0]
    z = module(batch)
    assert bool(module.problem.is_feasible(z).all())


def test_outer_gradient_without_inner_steps_is_the_gradient_of_the_expected_length(batch):
    """With inner_steps=0 it equals autograd through the whole network of the same score-function gradient."""
    torch.manual_seed(0)
    module = DimesMetaSolver(TravelingSalesman(12), 2, 1, num_neighbors=6, width=8, num_layers=1)
    nodes, neighbours, cost = module.graph(batch)
    embedding = module.embedding(nodes, neighbours, cost)
    _, gradients, _ = module.adapt(embedding, neighbours.numpy(), cost, 0, np.random.default_rng(0))
    logits = module.head(embedding)
    score, _ = reinforce(
        logits.detach().double().numpy(), neighbours.numpy(), cost, 100, np.random.default_rng(0)
    )
    weights = list(module.head.weights)
    expected = torch.autograd.grad(logits, [embedding, *weights], torch.from_numpy(score).float())
    torch.testing.assert_close(gradients[0], expected[0], rtol=1e-4, atol=1e-6)
    for ours, direct in zip(gradients[1:], expected[1:], strict=True):
        torch.testing.assert_close(ours.sum(0), direct, rtol=1e-3, atol=1e-5)


def test_what_it_cannot_solve_is_refused():
    """Other problems, hidden costs, and data without cities, each with the way out."""
    with pytest.raises(UnsupportedError, match="only to TravelingSalesman"):
        DimesMetaSolver(Assignment(3), 2, 1)
    with pytest.raises(UnsupportedError, match="uniform_tsp"):
        DimesMetaSolver(TravelingSalesman(5), 4, 9)
    with pytest.raises(UnsupportedError, match="learned_costs"):
        UniformTSPDataModule(Assignment(3))
