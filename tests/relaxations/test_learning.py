"""Learning tests: the gradient of each relaxation teaches a small linear model to decide better."""

import pytest

from diffcomb.losses import RegretLoss
from tests.learning import PROBLEM, relative_regret_after
from tests.registry import RELAXATIONS


@pytest.mark.parametrize("name", RELAXATIONS)
def test_regret_falls_below_three_quarters_of_its_start(name):
    """Fifty steps of the true cost of the decision, through the relaxation."""
    assert relative_regret_after(RegretLoss(RELAXATIONS[name](PROBLEM))) < 0.75
