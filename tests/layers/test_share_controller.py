"""rho="auto": the share of informative gradients is held, resumed and agreed upon."""

from pathlib import Path

import pytest
import torch
from torch import distributed, multiprocessing

from diffcomb.layers import DecisionLayer, LayerRecord, ShareController
from diffcomb.problems import Knapsack, Problem, ShortestPath
from tests.registry import seeded

PROBLEMS = {
    "grid": lambda: ShortestPath.grid(5, 5),
    # an outer relaxation: x_rho is fractional for every rho
    "knapsack": lambda: Knapsack.random(20, 2, tightness=0.3),
}


def _steps(layer: DecisionLayer, problem: Problem, count: int, generator: torch.Generator) -> list[float]:
    """Share of informative gradients in each of `count` training batches of 32."""
    shares = []
    for _ in range(count):
        layer(problem.random_costs(32, generator=generator).requires_grad_())
        shares.append(layer.last.share)
    return shares


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("kappa", [1e-3, 30.0])
def test_the_target_share_is_reached_from_far_away(name, kappa):
    """From kappa 1e-3 or 30 the mean share of later batches is 0.85 within 0.05, and kappa is moderate."""
    problem = PROBLEMS[name]()
    layer = DecisionLayer(problem, decision="relaxed")
    layer.rho.kappa.fill_(kappa)
    shares = _steps(layer, problem, 240, seeded())[140:]
    assert abs(sum(shares) / len(shares) - 0.85) < 0.05
    assert 1e-3 < float(layer.rho.kappa) < 10


def test_fractional_vertices_do_not_count_as_informative():
    """A knapsack at tiny rho: x is fractional in most instances, the Jacobian zero in all, so kappa grows."""
    problem = PROBLEMS["knapsack"]()
    layer = DecisionLayer(problem, decision="relaxed")
    layer.rho.kappa.fill_(1e-6)
    theta = problem.random_costs(32, generator=seeded(), dtype=torch.float64).requires_grad_()
    x = layer(theta)
    fractional = ((x > 1e-6) & (x < 1 - 1e-6)).any(-1)
    assert float(fractional.double().mean()) > 0.5
    assert layer.last.share == 0.0
    assert float(layer.rho.kappa) > 1e-6


def test_a_resumed_run_continues_the_same():
    """Ten steps, state_dict, ten steps in a new layer: the kappa of twenty steps, to the last bit."""
    problem = PROBLEMS["grid"]()
    whole, first, second = (DecisionLayer(problem, decision="relaxed") for _ in range(3))
    _steps(whole, problem, 20, seeded(1))
    generator = seeded(1)
    _steps(first, problem, 10, generator)
    second.load_state_dict(first.state_dict())
    _steps(second, problem, 10, generator)
    assert float(second.rho.kappa) != 1.0
    assert torch.equal(second.rho.kappa, whole.rho.kappa)


def test_outside_training_nothing_moves():
    """eval(): rho = mean|theta|, and kappa stays."""
    problem = PROBLEMS["grid"]()
    layer = DecisionLayer(problem, decision="relaxed")
    layer.rho.kappa.fill_(0.3)
    theta = problem.random_costs(4, generator=seeded()).requires_grad_()
    layer.eval()(theta)
    torch.testing.assert_close(layer.last.rho, theta.detach().abs().mean(-1))
    assert float(layer.rho.kappa) == 0.3


def test_lists_of_problems_share_one_controller():
    """A list of different problems: the share is over all its entries, and moves kappa once."""
    problems = [ShortestPath.grid(3, 3), Knapsack.random(8), ShortestPath.grid(3, 3)]
    generator = seeded(4)
    theta = [p.random_costs(generator=generator)[0].requires_grad_() for p in problems]
    layer = DecisionLayer(problems)
    layer(theta)
    dimensions = layer.last.face_dimension
    assert dimensions.shape == (3,)
    assert layer.last.share == pytest.approx(float((dimensions > 0).sum()) / 3)
    expected = torch.tensor(0.3 * (0.85 - layer.last.share), dtype=torch.float64).exp()
    torch.testing.assert_close(layer.rho.kappa, expected)
    assert LayerRecord().share is None


def test_a_group_of_one_process_changes_nothing(tmp_path):
    """The same kappa with torch.distributed initialised as without."""
    alone, grouped = ShareController(), ShareController()
    record = LayerRecord(face_dimension=torch.tensor([2, 0, 1]))
    alone.observe(record)
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        grouped.observe(record)
        grouped.agree()
    finally:
        distributed.destroy_process_group()
    assert torch.equal(alone.kappa, grouped.kappa)


def _process(rank: int, folder: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    controller = ShareController()
    # all of 1 here, none of 3 there; and one call more here, which nobody waits for
    controller.observe(LayerRecord(face_dimension=torch.tensor([4] if rank == 0 else [0, 0, 0])))
    controller.agree()
    agreed = controller.kappa.clone()
    if rank == 0:
        controller.observe(LayerRecord(face_dimension=torch.tensor([4])))
    controller.agree()
    torch.save({"agreed": agreed, "last": controller.kappa}, Path(folder) / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_agree_and_nobody_waits_for_a_call(tmp_path):
    """Shares 1 and 0 move both by their mean; a call that one process makes alone hangs nobody."""
    multiprocessing.spawn(_process, (str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    together = ShareController()
    together.observe(LayerRecord(face_dimension=torch.tensor([4, 0])))
    torch.testing.assert_close(first["agreed"], together.kappa)
    for moment in ("agreed", "last"):
        assert torch.equal(first[moment], second[moment])
    assert first["last"] != first["agreed"]
