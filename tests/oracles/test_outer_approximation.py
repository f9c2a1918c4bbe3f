"""Convex quadratic objectives by linear oracles and continuous remainders."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffcomb.errors import InfeasibleError
from diffcomb.oracles import OuterApproximation
from diffcomb.problems import MixedIntegerProgram
from tests.reference import Reference, decide


def quadratic(seed: int, integer: str) -> MixedIntegerProgram:
    """Six variables, a convex term of rank three, a row and an equation."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(3, 6))
    return MixedIntegerProgram(
        A=[[1, 1, 1, 1, 1, 1]],
        b=[4.0],
        G=rng.integers(0, 4, (1, 6)),
        h=[9.0],
        lower=-1,
        upper=3,
        integer=np.array([kind == "I" for kind in integer]),
        objective=factor.T @ factor,
    )


@pytest.mark.parametrize("integer", ["IIIIII", "IICICC", "CCCCCC"])
@pytest.mark.parametrize("seed", range(3))
def test_optimum_is_that_of_a_quadratic_solver(seed: int, integer: str) -> None:
    """Value as by a solver that takes the quadratic term itself; decision feasible, bound below."""
    problem = quadratic(seed, integer)
    theta = torch.from_numpy(np.random.default_rng(seed).normal(size=(3, 6)))
    found = problem.solve(theta, OuterApproximation(Reference()))
    wanted = decide(problem, theta)
    torch.testing.assert_close(found.value, wanted.value, atol=1e-6, rtol=1e-7)
    assert problem.is_feasible(found.decision).all()
    assert "optimal" in str(found.status)
    torch.testing.assert_close(found.value, problem.objective(found.decision, theta))


def test_it_is_the_problems_own_choice() -> None:
    """A quadratic program decides by outer approximation without being told; a linear one does not."""
    assert quadratic(0, "IICICC").default_oracle == "outer_approximation"
    linear = MixedIntegerProgram(G=[[1, 1]], h=[1])
    assert not OuterApproximation().supports(linear)


def test_an_empty_set_is_infeasible() -> None:
    """Continuous and mixed alike."""
    for integer in (True, False, np.array([True, False])):
        problem = MixedIntegerProgram(
            A=[[1, 1]], b=[1.0], G=[[-1, -1]], h=[-1.5], integer=integer, objective=np.eye(2)
        )
        with pytest.raises(InfeasibleError):
            problem.solve(torch.ones(2), OuterApproximation(Reference()))
