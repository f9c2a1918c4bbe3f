"""The compiled solver against independent ones, at degenerate points, and on polytopes without interior."""

import numpy as np
import pytest
import torch

from benchmarks.robustness import run
from diffcomb.errors import InfeasibleError
from diffcomb.layers import DecisionLayer, projector_of
from diffcomb.problems import Assignment, Knapsack, ShortestPath, TravelingSalesman
from diffcomb.program import Program
from diffcomb.projection import Route, RoutedProjector
from tests.registry import seeded

INTEGRAL = {"grid": lambda: ShortestPath.grid(4, 4), "assignment": lambda: Assignment(5)}


def test_random_and_degenerate_solves_never_fail():
    """1,000 solves over ties, zeros, decades, dependent rows and forced edges: residual <= 1e-10 in all."""
    solves, failures, worst = run(1_000)
    assert solves >= 1_000
    assert failures == 0
    assert worst <= 1e-10


@pytest.mark.parametrize("name", INTEGRAL)
@pytest.mark.parametrize("relative", [0.02, 0.2, 1.0])
def test_kkt_and_vertices_agree_where_the_polytope_is_integral(name, relative):
    """Same x, same face dimension, same adjoint from rows alone and from the oracle alone."""
    problem = INTEGRAL[name]()
    theta = problem.random_costs(6, generator=seeded(7))
    rho = relative * theta.abs().mean(-1)
    ours = projector_of(problem, "kkt").relax(theta, rho)
    theirs = projector_of(problem, "vertices").relax(theta, rho)
    torch.testing.assert_close(ours.x, theirs.x, rtol=0, atol=1e-9)
    assert torch.equal(ours.face_dimension, theirs.face_dimension)
    g = torch.randn(theta.shape, generator=seeded(8), dtype=torch.float64)
    torch.testing.assert_close(ours.adjoint(g), theirs.adjoint(g), rtol=1e-7, atol=1e-9)


def test_x_rho_matches_a_general_solver_on_rows_of_every_kind():
    """Inequalities with mixed signs: the same x and adjoint as PIQP with a dense polish."""
    rng = np.random.default_rng(3)
    problem = Knapsack(rng.uniform(1, 9, (3, 12)), [20.0, 25.0, 22.0])
    theta = problem.random_costs(8, generator=seeded(1))
    rho = 0.3 * theta.abs().mean(-1)
    ours, theirs = (projector_of(problem, name).relax(theta, rho) for name in ("kkt", "piqp"))
    torch.testing.assert_close(ours.x, theirs.x, rtol=0, atol=1e-10)
    assert torch.equal(ours.face_dimension, theirs.face_dimension)
    torch.testing.assert_close(ours.adjoint(theta), theirs.adjoint(theta), rtol=1e-8, atol=1e-10)


def test_gradient_cosine_against_central_differences():
    """1 - cos <= 1e-8 between the adjoint and central differences of x_rho, away from kinks."""
    problem = Assignment(6)
    theta = problem.random_costs(1, generator=seeded(5))
    rho, h = 0.5 * theta.abs().mean(-1), 1e-6
    solver = projector_of(problem, "kkt")
    g = torch.randn(theta.shape, generator=seeded(6), dtype=torch.float64)
    steps = h * torch.eye(problem.num_costs, dtype=torch.float64)
    many = rho.expand(problem.num_costs)
    difference = (solver.relax(theta + steps, many).x - solver.relax(theta - steps, many).x) @ g[0] / (2 * h)
    assert (
        1 - float(torch.cosine_similarity(difference, solver.relax(theta, rho).adjoint(g)[0], dim=0)) < 1e-8
    )


def test_conjugate_gradients_give_the_same_adjoint():
    """backward="cg" equals the factorised adjoint to 1e-9, singular faces included."""
    problem = ShortestPath.grid(5, 5)
    theta = problem.random_costs(8, generator=seeded(2))
    rho = theta.abs().mean(-1) * torch.logspace(-2, 1, 8, dtype=torch.float64)
    direct, iterative = (
        projector_of(problem, "kkt", backward=b).relax(theta, rho) for b in ("cholesky", "cg")
    )
    g = torch.randn(theta.shape, generator=seeded(3), dtype=torch.float64)
    torch.testing.assert_close(iterative.adjoint(g), direct.adjoint(g), rtol=1e-9, atol=1e-9)
    layer = DecisionLayer(problem, rho=1.0, backward="cg", decision="relaxed")
    assert torch.autograd.gradcheck(layer, (theta[:2].clone().requires_grad_(),), eps=1e-6, atol=1e-5)


def test_an_empty_polytope_is_refused_at_construction():
    """Infeasible rows raise InfeasibleError once, before any cost is seen."""
    A = np.ones((1, 3))
    with pytest.raises(InfeasibleError, match="empty"):
        RoutedProjector(Program.from_arrays(A, [4.0], num_vars=3, integral=False))


def test_forced_coordinates_and_dependent_rows():
    """x_0 forced to 1, x_1 to 0, one equation twice: they keep their values and get no gradient."""
    A = [[1.0, 0, 0, 0, 0], [0, 1, 1, 1, 1], [0, 2, 2, 2, 2]]
    G = [[0.0, 1, 0, 0, 0]]
    polytope = Program.from_arrays(A, [1.0, 1, 2], G, [0.0], num_vars=5, integral=True)
    relaxed = RoutedProjector(polytope).relax(
        torch.tensor([[1.0, 1.0, 0.1, 0.2, 0.3]]).double(), torch.ones(1).double()
    )
    torch.testing.assert_close(relaxed.x[0, :2], torch.tensor([1.0, 0.0]).double())
    # projection of 1/2 - theta on the simplex: 1/3 + mean - theta
    torch.testing.assert_close(relaxed.x[0, 2:], 1 / 3 + torch.tensor([0.1, 0.0, -0.1]).double())
    assert int(relaxed.face_dimension) == 2
    g = relaxed.adjoint(torch.ones(1, 5).double() + torch.arange(5))
    torch.testing.assert_close(g, torch.tensor([[0.0, 0.0, 1.0, 0.0, -1.0]]).double())


def test_zero_costs_project_one_half():
    """theta = 0: the centre of the assignment polytope nearest to 1/2, in the interior."""
    relaxed = projector_of(Assignment(4), "kkt").relax(torch.zeros(1, 16).double(), torch.ones(1).double())
    torch.testing.assert_close(relaxed.x, torch.full((1, 16), 0.25).double())
    assert int(relaxed.face_dimension) == 9


def test_lazy_rows_stay_for_later_calls():
    """The second call with the same costs finds no new subtour row and returns the same x."""
    problem = TravelingSalesman(9)
    theta = problem.random_costs(4, generator=seeded(9))
    rho = 0.1 * theta.mean(-1)
    solver = RoutedProjector(problem.polytope())
    pool = solver.engine(Route.COMPILED).pool
    first, known = solver.relax(theta, rho), len(pool)
    second = solver.relax(theta, rho)
    assert known > 0
    assert len(pool) == known
    torch.testing.assert_close(first.x, second.x, rtol=0, atol=1e-11)
    torch.testing.assert_close(first.adjoint(theta), second.adjoint(theta), rtol=1e-9, atol=1e-10)


def test_a_call_leaves_the_thread_count_of_torch_alone():
    """torch.get_num_threads() is the same before and after a solve and its adjoint."""
    problem, before = Assignment(4), torch.get_num_threads()
    theta = problem.random_costs(2, generator=seeded(0))
    projector_of(problem, "kkt").relax(theta, theta.abs().mean(-1)).adjoint(theta)
    assert torch.get_num_threads() == before


def test_a_large_batch_solves_like_its_instances_alone():
    """40 knapsacks and 40 grids together (in vector lanes) and one by one: the same x, face and adjoint."""
    for problem in (
        Knapsack(torch.rand(2, 12, generator=seeded(1)).numpy() + 0.5, [4.0, 4.5]),
        Assignment(4),
    ):
        theta = problem.random_costs(40, generator=seeded(2)).double()
        theta[3], theta[4] = 0.0, 1.0  # a constant and a zero among them
        rho = 10.0 ** torch.linspace(-4, 2, 40).double()
        grad = torch.randn(40, problem.num_costs, generator=seeded(3)).double()
        solver = RoutedProjector(problem.polytope())
        together = solver.relax(theta, rho)
        pulled = together.adjoint(grad)
        for k in range(40):
            alone = solver.relax(theta[k : k + 1], rho[k : k + 1])
            torch.testing.assert_close(together.x[k], alone.x[0], rtol=0, atol=1e-11)
            assert together.face_dimension[k] == alone.face_dimension[0]
            torch.testing.assert_close(
                pulled[k], alone.adjoint(grad[k : k + 1])[0], rtol=1e-8, atol=1e-9 / float(rho[k])
            )
