"""Soft decisions through the training command: a row each, tuning counted, refusals in words."""

import pandas as pd
import pytest

from evaluate import evaluate
from tests.commands.composing import compose_config, tiny_training
from train import train

ALONE = "relaxation@control=none"


@pytest.mark.parametrize("name", ["gumbel_softmax", "gumbel_sinkhorn", "birkhoff", "dimes"])
def test_every_relaxation_gives_a_row_for_tours(name, tmp_path):
    """A regret that is not negative, under the relaxation's own name."""
    rows = train(tiny_training(tmp_path, "tsp", f"relaxation={name}", ALONE))["rows"]
    assert rows[-1]["method"] == name
    assert rows[-1]["test_regret"] >= -1e-6


def test_tuning_is_done_on_trials_and_reported(tmp_path):
    """One row with trials and seconds; the checkpoint remembers the choice and evaluates the same."""
    overrides = ["relaxation.tune.epochs=1", "relaxation.tune.grid={tau:[0.05,0.5]}"]
    out = train(tiny_training(tmp_path, "tsp", "relaxation=dimes", ALONE, *overrides))
    row = out["rows"][-1]
    assert row["tuning_trials"] == 4  # times two learning rates of the default grid
    assert row["tuning_seconds"] > 0
    table = pd.read_csv(tmp_path / "run" / "results.csv")
    assert "tuning_seconds" in table.columns
    cfg = compose_config("evaluate", [f"checkpoint={out['checkpoint']}"], tmp_path / "evaluation")
    assert evaluate(cfg)["rows"][0]["test_regret"] == pytest.approx(row["test_regret"], abs=1e-6)


def test_a_relaxation_of_another_problem_is_refused_before_anything_is_written(tmp_path):
    """Shortest paths are no permutations."""
    with pytest.raises(Exception, match="only to Assignment, TravelingSalesman"):
        train(tiny_training(tmp_path, "shortest_path", "relaxation=birkhoff"))
    assert not (tmp_path / "run" / "results.csv").exists()


def test_the_meta_solver_refuses_hidden_costs(tmp_path):
    """It searches with the costs it is given, so learned costs would be cheating."""
    with pytest.raises(Exception, match="uniform_tsp"):
        train(tiny_training(tmp_path, "tsp", "relaxation=dimes_meta", ALONE))
