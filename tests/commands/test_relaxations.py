"""Every option of the relaxation group trains through the command."""

import pytest

from tests.commands.composing import CONF, tiny_training
from train import train

OPTIONS = sorted(path.stem for path in (CONF / "relaxation").glob("*.yaml"))


#: those that know tours and no assignments, and the data of those that do not learn costs
TOURS = {
    "gumbel_softmax": [],
    "dimes": [],
    "dimes_meta": ["datamodule=uniform_tsp"],
    "dimes_published": ["datamodule=uniform_tsp"],
}


@pytest.mark.parametrize("option", OPTIONS)
def test_option_trains(option, tmp_path):
    """One tiny epoch; the row carries the option's name and a regret that is not negative."""
    problem = "tsp" if option in TOURS else "assignment"
    overrides = [f"relaxation={option}", "relaxation@control=none", *TOURS.get(option, [])]
    out = train(tiny_training(tmp_path, problem, *overrides))
    row = out["rows"][-1]
    assert row["test_regret"] >= 0
    assert row["method"] == (option if option != "none" else "decision_focused")
