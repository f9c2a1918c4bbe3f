"""The training command: what it returns, what it leaves on disk, what it refuses."""

import re

import pandas as pd
import pytest
import torch
import yaml
from omegaconf import open_dict

from diffcomb.errors import DiffcombError, InvalidInstanceError
from evaluate import evaluate
from tests.commands.composing import TINY_PROBLEM, compose_config, tiny_training
from train import train


@pytest.mark.parametrize("problem", TINY_PROBLEM)
def test_every_problem_trains_and_leaves_a_complete_run_folder(problem, tmp_path):
    """Config, checkpoints, metrics, results and figure exist; the table compares with two-stage."""
    out = train(tiny_training(tmp_path, problem))
    run = tmp_path / "run"
    picture = "map.png" if problem == "roads" else "decisions.png"
    for name in ("config.yaml", "results.csv", picture):
        assert (run / name).stat().st_size > 0
    for method in ("decision_focused", "two_stage"):
        for name in ("checkpoints/best.ckpt", "checkpoints/last.ckpt", "csv/metrics.csv"):
            assert (run / method / name).stat().st_size > 0
    table = pd.read_csv(run / "results.csv")
    assert table["method"].tolist() == ["exact optimum", "two_stage", "decision_focused"]
    assert (table["test_regret"] >= 0).all()
    assert out["rows"][-1]["test_regret"] == pytest.approx(table["test_regret"].iloc[-1])
    assert yaml.safe_load((run / "config.yaml").read_text())["seed"] == 0
    logged = pd.read_csv(run / "decision_focused/csv/metrics.csv")
    if "layer/kkt_residual" in logged:  # schedules have no relaxed decision
        assert logged["layer/kkt_residual"].max() < 1e-8


@pytest.mark.parametrize("loss", ["regret", "fenchel_young", "smoothed_spo_plus", "optimal_value"])
def test_every_loss_trains(loss, tmp_path):
    """Each loss runs through the command."""
    out = train(tiny_training(tmp_path, "shortest_path", f"loss={loss}", "relaxation@control=none"))
    assert [row["method"] for row in out["rows"]] == ["exact optimum", "decision_focused"]


@pytest.mark.parametrize("loss", ["planned_start", "imitation", "optimal_value"])
def test_every_loss_trains_job_shops(loss, tmp_path):
    """Judged by what the executed plan costs, again from the checkpoint alone."""
    out = train(tiny_training(tmp_path, "jobshop", f"loss={loss}", "relaxation@control=none"))
    cfg = compose_config("evaluate", [f"checkpoint={out['checkpoint']}"], tmp_path / "evaluation")
    row = evaluate(cfg)["rows"][0]
    assert row["test_regret"] == pytest.approx(out["rows"][-1]["test_regret"], abs=1e-6)


def test_same_seed_same_result(tmp_path):
    """Two runs with one seed agree to the last digit; another seed differs."""
    first = train(tiny_training(tmp_path / "a"))["rows"][-1]["test_regret"]
    again = train(tiny_training(tmp_path / "b"))["rows"][-1]["test_regret"]
    other = train(tiny_training(tmp_path / "c", "assignment", "seed=1"))["rows"][-1]["test_regret"]
    assert first == again
    assert first != other


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty")
def test_resume_continues_where_the_checkpoint_stopped(tmp_path):
    """One epoch, resumed to two, ends with the weights of two epochs in one go."""
    once = train(tiny_training(tmp_path / "once", "assignment", "trainer.max_epochs=2"))
    half = train(tiny_training(tmp_path / "half"))
    last = f"{half['output_dir']}/decision_focused/checkpoints/last.ckpt"
    resumed = train(
        tiny_training(tmp_path / "resumed", "assignment", "trainer.max_epochs=2", f"resume={last}")
    )
    states = [
        torch.load(f"{run['output_dir']}/decision_focused/checkpoints/last.ckpt", weights_only=True)
        for run in (once, resumed)
    ]
    assert states[0]["global_step"] == states[1]["global_step"]
    for name, value in states[0]["state_dict"].items():
        torch.testing.assert_close(states[1]["state_dict"][name], value)


@pytest.mark.parametrize("problem", ["assignment", "coloring"])
def test_evaluate_repeats_the_test_regret_from_the_checkpoint(problem, tmp_path):
    """evaluate.py rebuilds problem (or family), data and model from the checkpoint alone."""
    trained = train(tiny_training(tmp_path, problem))
    cfg = compose_config("evaluate", [f"checkpoint={trained['checkpoint']}"], tmp_path / "evaluation")
    row = evaluate(cfg)["rows"][0]
    assert row["test_regret"] == pytest.approx(trained["rows"][-1]["test_regret"], abs=1e-7)


def test_checkpoint_of_another_problem_is_refused(tmp_path):
    """For evaluation and for resuming, before anything is written."""
    checkpoint = train(tiny_training(tmp_path))["checkpoint"]
    cfg = compose_config("evaluate", [f"checkpoint={checkpoint}", "problem=tsp"], tmp_path / "other")
    with pytest.raises(InvalidInstanceError, match="was trained on Assignment with 16 costs"):
        evaluate(cfg)
    resumed = tiny_training(tmp_path / "resumed", "tsp", f"resume={checkpoint}")
    with pytest.raises(InvalidInstanceError, match="was trained on Assignment"):
        train(resumed)
    assert not (tmp_path / "resumed/run").exists()


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint"])
def test_missing_or_corrupt_checkpoints_are_refused(content, tmp_path):
    """One sentence, whatever is wrong with the file."""
    path = tmp_path / "broken.ckpt"
    if content is not None:
        path.write_bytes(content)
    cfg = compose_config("evaluate", [f"checkpoint={path}"], tmp_path)
    with pytest.raises(DiffcombError, match=re.escape(str(path))):
        evaluate(cfg)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("rho=-1", "positive"),
        ("rho=soft", "rho"),
        ("solver.solver=simplex", "Unknown solver"),
        ("solver.decision=maybe", "exact, relaxed"),
        ("oracle.name=delphi", "Unknown oracle"),
        ("problem.size=0", "at least 1"),
        ("datamodule.num_train=0", "at least 1"),
        ("datamodule.degree=-1", "degree"),
    ],
)
def test_bad_values_are_one_clear_sentence(override, message, tmp_path):
    """Nothing is written for a config that cannot run."""
    cfg = tiny_training(tmp_path)
    key, value = override.split("=")
    with open_dict(cfg):
        node = cfg
        for part in key.split(".")[:-1]:
            node = node[part]
        node[key.split(".")[-1]] = yaml.safe_load(value)
    with pytest.raises(Exception, match=message):
        train(cfg)
    assert not (tmp_path / "run" / "results.csv").exists()
