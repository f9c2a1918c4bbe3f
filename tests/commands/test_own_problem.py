"""`python train.py --config-dir=own problem=mine`: a user's problem, data and network."""

import sys

import pandas as pd
import pytest

from diffcomb.errors import UnsupportedError
from evaluate import evaluate
from tests.commands.composing import ROOT, TINY, compose_config
from train import train

OWN = ROOT / "tests/commands/own"


@pytest.fixture
def own(monkeypatch):
    """mine.py on the path, as PYTHONPATH=own would put it."""
    monkeypatch.syspath_prepend(str(OWN))
    yield [f"hydra.searchpath=[file://{OWN}]"]
    sys.modules.pop("mine", None)


def test_a_problem_without_rows_and_positions_trains(own, tmp_path):
    """Batches are plain tables: a row for both methods, a checkpoint that evaluates the same, no picture."""
    overrides = [*own, "problem=mine", "trainer.max_epochs=2", "learning_rate=0.05"]
    out = train(compose_config("train", overrides, tmp_path))
    table = pd.read_csv(tmp_path / "run/results.csv")
    assert table["method"].tolist() == ["exact optimum", "two_stage", "decision_focused"]
    assert (table["test_regret"] >= 0).all()
    assert not list((tmp_path / "run").glob("*.png"))
    again = evaluate(
        compose_config("evaluate", [*own, f"checkpoint={out['checkpoint']}"], tmp_path / "again")
    )
    assert again["rows"][0]["test_regret"] == pytest.approx(table["test_regret"].iloc[-1], abs=1e-6)


def test_the_shipped_data_and_encoder_take_it_too(own, tmp_path):
    """learned_costs needs a cost graph and an oracle, no rows; what cannot be told apart is not cached."""
    cache = tmp_path / "cache"
    shipped = ["datamodule=learned_costs", "model=gnn", f"datamodule.cache_dir={cache}", *TINY]
    out = train(compose_config("train", [*own, "problem=mine", *shipped], tmp_path))
    assert out["rows"][-1]["test_regret"] >= 0
    assert not cache.exists()


def test_a_solver_that_needs_rows_is_refused(own, tmp_path):
    """The problem's own sentence, before anything is written."""
    with pytest.raises(UnsupportedError, match=r"use .vertices"):
        train(compose_config("train", [*own, "problem=mine", "solver=piqp"], tmp_path))
    assert not (tmp_path / "run").exists()
