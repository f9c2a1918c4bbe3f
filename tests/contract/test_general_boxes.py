"""Bounds of any size and sign, integer and continuous variables: every engine, the theorem, the certificates.

Z is enumerated: integer points of a box that satisfy random rows. Its hull is known by its members alone.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from diffcomb import DecisionLayer, exactness_threshold
from diffcomb.errors import UnsupportedError
from diffcomb.layers import is_exact
from diffcomb.oracles import OracleAnswer
from diffcomb.problems import CostGraph, Problem
from diffcomb.program import Program, UnitBox
from diffcomb.projection import ACCURATE_SOLVERS, RoutedProjector
from tests.registry import seeded


class ByEnumeration:
    name = "enumeration"

    def supports(self, problem):
        return isinstance(problem, Points)

    def solve(self, problem, costs, limits):
        return OracleAnswer.proven(problem.members[np.argmin(costs @ problem.members.T, axis=1)], costs)


class Points(Problem):
    """A finite set Z of points in a box, known by its members."""

    oracles = (ByEnumeration(),)
    default_oracle = "enumeration"
    is_binary = False

    def __init__(self, members: np.ndarray, box: UnitBox) -> None:
        self.members, self.unit_box = members, box
        self.num_costs = members.shape[1]

    def is_feasible(self, z):
        return torch.tensor([bool((np.abs(self.members - p).max(1) < 1e-9).any()) for p in z.numpy()])

    def polytope(self):
        raise UnsupportedError("Points has no rows.")

    def random_costs(self, batch=1, *, generator=None, dtype=torch.float64):
        return torch.randn(batch, self.num_costs, generator=generator, dtype=dtype)

    def cost_graph(self):
        items = torch.arange(self.num_costs)
        return CostGraph(torch.stack([items, items]), self.num_costs)


def random_program(seed: int) -> tuple[Program, Points]:
    """Four integer variables in boxes of any sign and width (one fixed), two random rows."""
    rng = np.random.default_rng(seed)
    lower = rng.integers(-4, 3, 4).astype(float)
    upper = lower + rng.integers(1, 6, 4)
    if seed % 3 == 0:
        upper[3] = lower[3]
    grid = np.array(
        list(itertools.product(*(np.arange(a, b + 1) for a, b in zip(lower, upper, strict=True))))
    )
    G = rng.integers(-3, 6, (2, 4)).astype(float)
    h = np.quantile(grid @ G.T, 0.6, axis=0)
    members = grid[(grid @ G.T <= h + 1e-9).all(1)]
    program = Program.from_arrays(G=G, h=h, num_vars=4, integral=False, lower=lower, upper=upper)
    return program, Points(members, UnitBox.of(program))


@pytest.mark.parametrize("solver", [name for name in ACCURATE_SOLVERS if name != "vertices"])
@pytest.mark.parametrize("seed", range(4))
def test_every_engine_projects_on_a_general_box(solver, seed):
    """x_rho minimises theta'x + rho/2 sum ((x - c) / width)^2 over the rows and the box (scipy, to 1e-6), and
    its adjoint is that of central differences."""
    program, points = random_program(seed)
    projector, box = RoutedProjector(program, solver), points.unit_box
    theta = points.random_costs(3, generator=seeded(seed)) * 3
    rho = torch.full((3,), 2.0, dtype=torch.float64)
    relaxed = projector.relax(theta, rho)
    wide = box.width > 0
    for t, x in zip(theta.numpy(), relaxed.x.numpy(), strict=True):

        def f(v, t=t):
            return t @ v + (((v - box.center)[wide] / box.width[wide]) ** 2).sum()

        rows = {"type": "ineq", "fun": lambda v: program.h - program.G @ v}
        bounds = list(zip(program.lower, program.upper, strict=True))
        found = minimize(f, x, bounds=bounds, constraints=[rows], method="SLSQP", options={"ftol": 1e-14})
        assert f(x) <= f(found.x) + 1e-9
        assert (program.G @ x <= program.h + 1e-8).all()
        assert (x >= program.lower - 1e-9).all()
        assert (x <= program.upper + 1e-9).all()
    g = torch.randn(3, 4, generator=seeded(9), dtype=torch.float64)
    direction = torch.randn(3, 4, generator=seeded(10), dtype=torch.float64)
    step = 1e-6
    ends = [(projector.relax(theta + s * step * direction, rho).x * g).sum() for s in (1, -1)]
    slope = (relaxed.adjoint(g) * direction).sum()
    assert float(slope) == pytest.approx(float(ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("seed", range(12))
def test_vertices_is_exact_over_the_hull_of_any_bounded_set(seed):
    """No member of Z improves on x_rho: the variational inequality, for all members."""
    _, points = random_program(seed)
    box = points.unit_box
    theta = points.random_costs(5, generator=seeded(seed))
    for rho in (0.05, 0.5, 5.0):
        layer = DecisionLayer(points, solver="vertices", rho=rho, decision="relaxed")
        x = layer(theta).numpy()
        slope = theta.numpy() + rho * (x - box.center) * box.inverse_width**2
        gap = (slope[:, None, :] * (x[:, None, :] - points.members[None])).sum(-1).max(1)
        assert (gap <= 1e-9 * (1 + np.abs(slope).sum(1))).all()
        assert layer.last.route == "vertices"


@pytest.mark.parametrize("seed", range(12))
def test_the_threshold_is_that_of_the_enumeration(seed):
    """rho_bar = inf theta'(z - z*) / [(c - z*)'W (z - z*)]_+ over all members, and x_rho = z* up to it."""
    _, points = random_program(seed)
    box, members = points.unit_box, points.members
    theta = points.random_costs(4, generator=seeded(100 + seed))
    found = exactness_threshold(points, theta)
    for t, rho_bar in zip(theta.numpy(), found.tolist(), strict=True):
        z = members[np.argmin(members @ t)]
        distance = ((box.center - z) * box.inverse_width**2) @ (members - z).T
        ratios = ((members - z) @ t)[distance > 1e-9] / distance[distance > 1e-9]
        expected = ratios.min(initial=np.inf)
        assert rho_bar == pytest.approx(expected, rel=1e-9)
        if not np.isfinite(expected) or expected < 1e-6:
            continue
        costs = torch.from_numpy(t)[None]
        for factor, exact in ((0.999, True), (1.01, False)):
            layer = DecisionLayer(points, solver="vertices", rho=factor * expected, decision="relaxed")
            x = layer(costs)
            assert bool(np.abs(x[0].numpy() - z).max() < 1e-9) == exact
            weight = torch.tensor([factor * expected], dtype=torch.float64)
            assert bool(is_exact(points, costs, weight, torch.from_numpy(z)[None])) == exact
