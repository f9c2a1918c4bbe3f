"""Every option of the relaxation group trains through the command."""

import pytest

from tests.commands.composing import CONF, tiny_training
from train import train

OPTIONS = sorted(path.stem for path in (CONF / "relaxation").glob("*.yaml"))


@pytest.mark.parametrize("option", OPTIONS)
def test_option_trains_on_an_assignment(option, tmp_path):
    """One tiny epoch; the row carries the option's name and a regret that is not negative."""
    out = train(tiny_training(tmp_path, "assignment", f"relaxation={option}", "relaxation@control=none"))
    row = out["rows"][-1]
    assert row["test_regret"] >= 0
    assert row["method"] == (option if option != "none" else "decision_focused")
