"""The batched torch implementation and the compiled kernel are oracles of one another."""

import pytest
import torch

from diffcomb.layers import DecisionLayer, projector_of
from diffcomb.problems import ShortestPath, TravelingSalesman
from diffcomb.projection import Route
from diffcomb.projection.route import Facts, route
from tests.registry import make_problem, seeded


@pytest.mark.parametrize("name", ["shortest_path_grid", "shortest_path_cyclic", "assignment", "knapsack"])
@pytest.mark.parametrize("rho", [0.05, 0.5, 5.0])
def test_x_face_and_adjoint_agree_with_the_compiled_kernel(name, rho):
    """Same x to 1e-11, same face dimension, same adjoint to 1e-9, from independent numerical code."""
    problem = make_problem(name)
    theta = problem.random_costs(8, generator=seeded(2))
    weight = torch.full((8,), rho, dtype=torch.float64)
    ours, theirs = (projector_of(problem, solver).relax(theta, weight) for solver in ("kkt", "kkt_torch"))
    torch.testing.assert_close(ours.x, theirs.x, rtol=0, atol=1e-11)
    assert torch.equal(ours.face_dimension, theirs.face_dimension)
    torch.testing.assert_close(ours.adjoint(theta), theirs.adjoint(theta), rtol=0, atol=1e-9)


def test_the_adjoint_stays_in_torch_and_handles_groups_of_rows():
    """Fixed coordinates and lazily added rows: the adjoint of the compiled kernel."""
    for problem in (
        TravelingSalesman(8),
        ShortestPath([(0, 1), (1, 2), (0, 2), (2, 3), (1, 3), (4, 3), (0, 5), (3, 6), (3, 7)], 8, 0, 3),
    ):
        theta = problem.random_costs(6, generator=seeded(4))
        rho = 0.2 * theta.abs().mean(-1)
        g = torch.randn(theta.shape, generator=seeded(5), dtype=torch.float64)
        compiled, batched = (projector_of(problem, name).relax(theta, rho) for name in ("kkt", "kkt_torch"))
        torch.testing.assert_close(batched.adjoint(g), compiled.adjoint(g), rtol=0, atol=1e-9)


def test_the_implementation_is_chosen_by_device_and_size():
    """Torch on a GPU where rows fit densely; compiled for all else."""
    cuda, cpu = torch.device("cuda:1"), torch.device("cpu")

    def chosen(device, num_vars, num_rows, backward="cholesky"):
        facts = Facts(num_vars, num_rows)
        return route("kkt", facts, backward=backward, lazy_rows=True, device=device, reach=0.0)

    assert chosen(cuda, 180, 40) == Route.TORCH
    assert chosen(cpu, 180, 40) == Route.COMPILED
    assert chosen(cuda, 125_000, 500) == Route.COMPILED
    assert chosen(cuda, 180, 40, "cg") == Route.COMPILED


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_layer_on_the_gpu_gives_the_gradient_of_the_cpu():
    """solver="kkt" on CUDA tensors: decisions and gradients stay there and equal the CPU's to 1e-9."""
    problem = make_problem("assignment")
    theta = problem.random_costs(8, generator=seeded(2))
    weights = torch.randn(theta.shape, generator=seeded(3), dtype=torch.float64)
    grads = []
    for device in ("cpu", "cuda"):
        leaf = theta.to(device).requires_grad_()
        x = DecisionLayer(problem, rho=0.5, decision="relaxed").to(device)(leaf)
        assert x.device.type == device
        (x * weights.to(device)).sum().backward()
        grads.append(leaf.grad.cpu())
    torch.testing.assert_close(*grads, rtol=0, atol=1e-9)
