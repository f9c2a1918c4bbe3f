"""Training on colourings learns: the regret on graphs never seen falls."""

import pandas as pd

from tests.commands.composing import tiny_training
from train import train


def test_regret_on_unseen_graphs_falls(tmp_path):
    """After ten epochs on 30 graphs, no two alike, less than 0.6 of the regret after the first."""
    changes = [
        "datamodule.num_train=30",
        "datamodule.num_val=20",
        "datamodule.noise=0",
        "trainer.max_epochs=10",
    ]
    train(tiny_training(tmp_path, "coloring", "relaxation@control=none", *changes))
    logged = pd.read_csv(tmp_path / "run/decision_focused/csv/metrics.csv")
    regret = logged["val/regret"].dropna().to_numpy()
    assert len(regret) == 10
    assert regret[-3:].mean() < 0.6 * regret[0]
