"""Every convex solver returns x_rho and the projector on its face."""

import pytest
import torch

from diffcomb.layers import DecisionLayer, exactness_threshold, projector_of
from diffcomb.problems import Problem
from diffcomb.projection import relaxed_objective
from tests.registry import CONVEX_SOLVERS, PROBLEMS, all_decisions, make_problem, seeded

pytestmark = [pytest.mark.parametrize("name", PROBLEMS), pytest.mark.parametrize("solver", CONVEX_SOLVERS)]


def _costs(problem: Problem, batch: int = 3) -> torch.Tensor:
    return problem.random_costs(batch, generator=seeded(2))


@pytest.mark.parametrize("rho", [0.05, 0.5, 5.0])
def test_x_rho_is_feasible_and_no_member_of_z_beats_it(name, solver, rho):
    """KKT residual small, rows satisfied, relaxed objective at most that of any member of Z."""
    problem = make_problem(name)
    theta = _costs(problem)
    weight = torch.full((3,), rho, dtype=torch.float64)
    relaxed = projector_of(problem, solver).relax(theta, weight)
    assert float(relaxed.kkt_residual.max()) < 1e-8
    polytope = problem.polytope()
    for x in relaxed.x.numpy():
        assert abs(polytope.A @ x - polytope.b).max(initial=0) < 1e-8
        assert (polytope.G @ x - polytope.h).max(initial=-1) < 1e-8
        assert len(polytope.separate(x)) == 0
    best = relaxed_objective(relaxed.x, theta, weight)
    for z in all_decisions(name)[:500]:
        assert bool((relaxed_objective(z.expand_as(theta), theta, weight) >= best - 1e-9).all())


def test_adjoint_matches_central_differences(name, solver):
    """The adjoint is symmetric, negative semidefinite and equal to finite differences of x_rho."""
    problem = make_problem(name)
    theta = _costs(problem, 1)
    rho = theta.abs().mean(-1)
    convex = projector_of(problem, solver)
    relaxed = convex.relax(theta, rho)
    n, h = problem.num_costs, 1e-5
    identity = torch.eye(n, dtype=torch.float64)
    jacobian = torch.cat([relaxed.adjoint(g[None]) for g in identity])
    differences = torch.stack(
        [
            (convex.relax(theta + h * e, rho).x[0] - convex.relax(theta - h * e, rho).x[0]) / (2 * h)
            for e in identity
        ]
    )
    torch.testing.assert_close(jacobian, jacobian.T, rtol=0, atol=1e-9)
    torch.testing.assert_close(jacobian, differences, rtol=1e-6, atol=1e-6)
    eigenvalues = torch.linalg.eigvalsh(-rho * jacobian)
    projector = torch.minimum(eigenvalues.abs(), (eigenvalues - 1).abs())
    assert float(projector.max()) < 1e-8
    assert round(float(eigenvalues.sum())) == int(relaxed.face_dimension)


def test_exact_below_the_threshold_and_not_above(name, solver):
    """x_rho = z* just below rho_bar with a zero Jacobian, x_rho != z* just above (integral polytopes)."""
    problem = make_problem(name)
    if not problem.polytope().integral:
        pytest.skip("the theorem speaks of conv(Z); this polytope is an outer relaxation")
    theta = _costs(problem)
    rho_bar = exactness_threshold(problem, theta)
    z = problem.solve(theta).decision
    convex = projector_of(problem, solver)
    below = convex.relax(theta, rho_bar * (1 - 1e-6))
    above = convex.relax(theta, rho_bar * (1 + 1e-3))
    torch.testing.assert_close(below.x, z, rtol=0, atol=1e-8)
    assert below.face_dimension.tolist() == [0, 0, 0]
    assert float(below.adjoint(theta).abs().max()) == 0.0
    assert bool(((above.x - z).abs().amax(-1) > 1e-5).all())


def test_layer_gradcheck(name, solver):
    """torch.autograd.gradcheck passes on the relaxed layer."""
    problem = make_problem(name)
    if solver == "vertices" and problem.default_oracle == "highs":
        pytest.skip("a minute of mixed-integer solves; the adjoint is covered by central differences")
    theta = _costs(problem, 2).requires_grad_()
    layer = DecisionLayer(problem, solver=solver, rho=float(theta.detach().abs().mean()), decision="relaxed")
    assert torch.autograd.gradcheck(layer, (theta,), eps=1e-6, atol=1e-5)
