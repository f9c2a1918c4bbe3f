"""Training on colourings learns: the regret on graphs never seen falls."""

from tests.commands.composing import tiny_training
from train import train

CHANGES = ["relaxation@control=none", "datamodule.num_test=30", "datamodule.noise=0"]


def test_regret_on_unseen_graphs_falls(tmp_path):
    """After eight epochs on 40 graphs, no two alike, less than 0.8 of the regret of the untrained network."""
    untrained = ["datamodule.num_train=1", "learning_rate=1e-12"]
    trained = ["datamodule.num_train=40", "trainer.max_epochs=8", "learning_rate=0.03"]
    before, after = (
        train(tiny_training(tmp_path / str(k), "coloring", *CHANGES, *changes))["rows"][-1]["test_regret"]
        for k, changes in enumerate((untrained, trained))
    )
    assert after < 0.8 * before
