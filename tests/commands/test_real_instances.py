"""The layer on real files, where DIFFCOMB_DATA has them."""

import os
from pathlib import Path

import pytest

from evaluate import evaluate
from tests.commands.composing import compose_config

DATA = Path(os.environ.get("DIFFCOMB_DATA", "data"))


@pytest.mark.skipif(not (DATA / "tsplib/berlin52.tsp").exists(), reason="needs $DIFFCOMB_DATA/tsplib")
def test_berlin52_is_solved_to_its_optimum(tmp_path):
    """Decision 7542, gap 0, proven, with a small KKT residual."""
    overrides = ["datamodule=tsplib", "datamodule.names=[berlin52]", f"datamodule.folder={DATA}"]
    row = evaluate(compose_config("evaluate", overrides, tmp_path))["rows"][0]
    assert row["value"] == 7542.0
    assert row["bound"] == 7542.0
    assert row["gap"] == 0.0
    assert row["status"] == "optimal"
    assert float(row["kkt_residual"]) < 1e-8
