"""The commands as a user types them."""

import os
import subprocess
import sys

import pandas as pd
import pytest

from tests.commands.composing import ROOT, TINY


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "WANDB_MODE": "disabled", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("command", ["train.py", "evaluate.py"])
def test_help_shows_groups_and_examples(command):
    """--help names the groups and gives three examples."""
    shown = _run(command, "--help").stdout
    assert shown.count(f"python {command}") >= 3
    assert "problem:" in shown
    assert "tsp" in shown


def test_errors_are_one_sentence_and_exit_code_one(tmp_path):
    """No traceback, nothing half-written."""
    out = _run("train.py", "problem=assignment", "rho=-2", f"hydra.run.dir={tmp_path}/run")
    assert out.returncode == 1
    assert out.stderr.strip().splitlines()[-1].startswith("error: rho must be a positive number")
    assert "Traceback" not in out.stderr
    assert not (tmp_path / "run").exists()


def test_evaluate_without_the_file_says_how_to_get_it(tmp_path):
    """The message names the download command."""
    out = _run(
        "evaluate.py",
        "datamodule=tsplib",
        "datamodule.names=[berlin52]",
        f"hydra.run.dir={tmp_path}/run",
        DIFFCOMB_DATA=str(tmp_path / "empty"),
    )
    assert out.returncode == 1
    assert "python -m diffcomb.data tsplib" in out.stderr


def test_multirun_collects_one_table(tmp_path):
    """-m over two problems and two seeds: every job's rows in one results.csv."""
    out = _run(
        "train.py",
        "-m",
        "problem=assignment,shortest_path",
        "rho=0.5",
        "seed=0,1",
        f"hydra.sweep.dir={tmp_path}/sweep",
        f"datamodule.cache_dir={tmp_path}/cache",
        *TINY,
    )
    assert out.returncode == 0, out.stderr
    table = pd.read_csv(tmp_path / "sweep/results.csv")
    assert len(table) == 2 * 2 * 3
    assert "±" in out.stdout
