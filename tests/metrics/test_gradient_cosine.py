"""The angle between gradients of any size."""

import pytest
import torch

from diffcomb.metrics import gradient_cosine
from tests.registry import seeded


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_cosine_does_not_depend_on_the_size_of_either(scale):
    """Squares of the entries would vanish or overflow."""
    a, b = torch.randn(2, 3, 5, generator=seeded(), dtype=torch.float64)
    torch.testing.assert_close(gradient_cosine(scale * a, b), torch.cosine_similarity(a, b, dim=-1))
    torch.testing.assert_close(gradient_cosine(scale * a, -scale * a), -torch.ones(3, dtype=torch.float64))


def test_zero_gradients_agree_with_each_other_alone():
    """1 where both are zero, 0 where one is."""
    a, zero = torch.ones(1, 4), torch.zeros(1, 4)
    assert [float(gradient_cosine(*pair)) for pair in ((zero, zero), (a, zero), (zero, a))] == [1, 0, 0]
