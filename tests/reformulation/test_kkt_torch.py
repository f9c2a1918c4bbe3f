"""The batched torch implementation and the compiled kernel are oracles of one another."""

import pytest
import torch

from diffcomb.reformulation import make_solver
from tests.registry import make_problem, seeded


@pytest.mark.parametrize("name", ["shortest_path_grid", "shortest_path_cyclic", "assignment", "knapsack"])
@pytest.mark.parametrize("rho", [0.05, 0.5, 5.0])
def test_x_face_and_adjoint_agree_with_the_compiled_kernel(name, rho):
    """Same x to 1e-11, same face dimension, same adjoint to 1e-9, from independent numerical code."""
    problem = make_problem(name)
    theta = problem.random_costs(8, generator=seeded(2))
    weight = torch.full((8,), rho, dtype=torch.float64)
    ours, theirs = (make_solver(solver, problem).solve(theta, weight) for solver in ("kkt", "kkt_torch"))
    torch.testing.assert_close(ours.x, theirs.x, rtol=0, atol=1e-11)
    assert torch.equal(ours.face_dimension, theirs.face_dimension)
    torch.testing.assert_close(ours.adjoint(theta), theirs.adjoint(theta), rtol=0, atol=1e-9)
