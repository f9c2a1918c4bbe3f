"""Learning tests: each loss teaches a small linear model to decide better."""

import pytest

from tests.learning import PROBLEM, relative_regret_after
from tests.registry import LOSSES


@pytest.mark.parametrize("name", LOSSES)
def test_regret_falls_below_three_quarters_of_its_start(name):
    """Fifty steps on a 4 x 4 grid whose costs are a noisy polynomial of five features."""
    assert relative_regret_after(LOSSES[name](PROBLEM)) < 0.75
