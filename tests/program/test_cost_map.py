"""Predicted numbers become costs, and gradients come back the same way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse

from diffcomb.errors import InvalidInstanceError, UnknownNameError
from diffcomb.program import CostMap

MATRICES = {
    "selection": sparse.csr_array(([2.0, -1.0], ([0, 3], [1, 0])), shape=(4, 2)),
    "prices": sparse.csr_array(np.array([[1.0, 2.0], [0.0, 0.5], [0.0, 0.0], [3.0, -1.0]])),
}
#: too large to be stored densely
LARGE = sparse.random_array((4000, 2000), density=1e-4, format="csr", rng=0)
KNOWN = np.array([0.0, 1.0, 2.0, -3.0])


def make(name: str, sense: str = "min") -> CostMap:
    return CostMap.of(4, MATRICES[name], KNOWN, sense, np.array([0.5, 0.0]), 7.0)


@pytest.mark.parametrize("sense", ["min", "max"])
@pytest.mark.parametrize("name", MATRICES)
def test_costs_and_value_are_the_written_formulas(name: str, sense: str) -> None:
    """c = sign (C p + c0), the value is (C p + c0)'z + slope'p + offset in the user's sense."""
    cost_map, sign = make(name, sense), 1 if sense == "min" else -1
    p, z = torch.randn(3, 2, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)
    user = p @ torch.from_numpy(MATRICES[name].toarray()).T + torch.from_numpy(KNOWN)
    torch.testing.assert_close(cost_map.costs(p), sign * user)
    torch.testing.assert_close(cost_map.value(z, p), (user * z).sum(-1) + 0.5 * p[:, 0] + 7.0)


@pytest.mark.parametrize("name", MATRICES)
def test_pull_is_the_transpose_and_autograd_agrees(name: str) -> None:
    """<g, c(p + d) - c(p)> = <pull(g), d>; differentiating through costs gives the same."""
    cost_map = make(name, "max")
    p = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    g, d = torch.randn(5, 4, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)
    moved = (g * (cost_map.costs(p + d) - cost_map.costs(p))).sum()
    torch.testing.assert_close(moved, (cost_map.pull(g) * d).sum())
    (gradient,) = torch.autograd.grad(cost_map.costs(p), p, g)
    torch.testing.assert_close(gradient, cost_map.pull(g))
    (gradient,) = torch.autograd.grad(cost_map.value(g, p).sum(), p)
    torch.testing.assert_close(gradient, cost_map.value_gradient(g))


def test_large_maps_are_summed_entry_by_entry() -> None:
    """A map of 8 million entries, most of them 0, is the same product."""
    cost_map = CostMap.of(4000, LARGE)
    p = torch.randn(2, 2000, dtype=torch.float64)
    torch.testing.assert_close(cost_map.costs(p), torch.from_numpy(p.numpy() @ LARGE.toarray().T))
    g = torch.randn(2, 4000, dtype=torch.float64)
    torch.testing.assert_close(cost_map.pull(g), torch.from_numpy(g.numpy() @ LARGE.toarray()))


def test_scale_is_that_of_driven_variables_without_known_costs() -> None:
    """Known costs of 1e6 and variables that p does not reach leave the scale of p alone."""
    cost_map = CostMap.of(4, MATRICES["selection"], KNOWN * 1e6)
    p = torch.tensor([[1.0, 3.0]])
    torch.testing.assert_close(cost_map.scale(p), torch.tensor([(2 * 3.0 + 1.0) / 2]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("name", MATRICES)
def test_dtype_is_kept(name: str, dtype: torch.dtype) -> None:
    """Half and single precision come back as they went in, with and without a batch."""
    p = torch.tensor([1.0, 0.5], dtype=dtype)
    costs = make(name).costs(p)
    assert costs.dtype == dtype
    torch.testing.assert_close(make(name).costs(p[None])[0], costs)
    torch.testing.assert_close(costs.double(), make(name).costs(p.double()), rtol=1e-2, atol=1e-2)


def test_map_keeps_no_array_of_the_caller() -> None:
    """Changing the arrays that were passed changes nothing."""
    C, known = np.eye(2), np.ones(2)
    cost_map = CostMap.of(2, C, known)
    C *= 5
    known *= 5
    torch.testing.assert_close(cost_map.costs(torch.ones(2)), torch.full((2,), 2.0))


def test_wrong_input_is_named() -> None:
    """Shapes, senses and infinities are refused in words."""
    with pytest.raises(InvalidInstanceError, match="one row per variable, 3"):
        CostMap.of(3, np.eye(2))
    with pytest.raises(InvalidInstanceError, match="one entry per variable, 3"):
        CostMap.of(3, None, np.ones(2))
    with pytest.raises(InvalidInstanceError, match="infinity"):
        CostMap.of(2, None, [np.inf, 0.0])
    with pytest.raises(UnknownNameError, match="min or max"):
        CostMap.of(2, sense="largest")
