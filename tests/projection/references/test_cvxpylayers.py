"""cvxpylayers is a yardstick: right, to the accuracy of its own solver."""

import pytest
import torch

from diffcomb.layers import projector_of
from diffcomb.problems import ShortestPath
from tests.registry import seeded

pytest.importorskip("cvxpylayers.torch")


# numpy and scipy's sparse arrays, inside cvxpylayers
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_x_and_adjoint_agree_loosely_with_kkt():
    """x to 1e-3 and the adjoint to a cosine of 0.99, at SCS's default accuracy."""
    problem = ShortestPath.grid(3, 3)
    theta = problem.random_costs(4, generator=seeded(1))
    rho = theta.abs().mean(-1)
    theirs, ours = (projector_of(problem, name).relax(theta, rho) for name in ("cvxpylayers", "kkt"))
    torch.testing.assert_close(theirs.x, ours.x, rtol=0, atol=1e-3)
    g = torch.randn(theta.shape, generator=seeded(2), dtype=torch.float64)
    cosine = torch.cosine_similarity(theirs.adjoint(g), ours.adjoint(g))
    assert float(cosine.min()) > 0.99
