"""The experimental protocol through its command."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec

import pandas as pd
import pytest
import yaml
from omegaconf import OmegaConf, open_dict

from diffcomb.protocol.run.run_protocol import settings_of
from evaluate import evaluate
from tests.commands.composing import CONF, ROOT, compose_config, tiny_training
from train import train

EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("protocol_*.yaml"))
FEW = ["kkt", "kkt_spo_plus", "dbb", "two_stage", "planned_start"]
#: not methods of a common network: the layer itself, models of their own, a loss for positive costs alone
NO_METHODS = {"none", "dimes_meta", "dimes_published", "two_stage_log"}


def _smoke(name, folder, *overrides):
    """The smoke size with a few methods."""
    cfg = compose_config(
        "evaluate", [f"experiment={name}", "protocol=smoke", "wandb=false", *overrides], folder
    )
    with open_dict(cfg):
        cfg.protocol.methods = {name: cfg.protocol.methods[name] for name in FEW}
    return cfg


class _Tables(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.tables, self.images = [], 0, []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs)["src"])
        elif tag not in ("meta", "link"):
            self.open.append(tag)
            self.tables += tag == "table"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_smoke_run_reports_what_it_measured(name, tmp_path):
    """Every plan completes without a failed cell, and all parts of the report exist and parse."""
    out = evaluate(_smoke(name, tmp_path))
    rows = pd.DataFrame(out["rows"])
    assert not rows["quantity"].eq("failed").any(), rows[rows["quantity"] == "failed"]["note"].tolist()
    folder = tmp_path / "run"
    assert len(pd.read_parquet(folder / "results.parquet")) == len(rows)
    markdown = (folder / "report.md").read_text()
    assert "processor" in markdown
    assert markdown.count(f"python evaluate.py experiment={name}") == markdown.count("```bash")
    page = _Tables()
    page.feed((folder / "report.html").read_text())
    assert page.open == []
    tables = sorted((folder / "tables").glob("*.csv"))
    assert page.tables == len(tables) + 1
    for path in tables:
        assert len(pd.read_csv(path)) > 0
        latex = path.with_suffix(".tex").read_text()
        assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") == 1
    assert page.images
    for image in page.images:
        assert (folder / image).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("scale", ["smoke", "compact", "full"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_scale_composes(name, scale, tmp_path):
    """Each experiment has sizes for each scale, and all settings have their types."""
    cfg = compose_config("evaluate", [f"experiment={name}", f"protocol={scale}"], tmp_path)
    settings = settings_of(cfg)
    assert settings.scale == scale
    assert settings.sizes[scale]
    assert name == f"protocol_{settings.problem}"


def test_every_relaxation_is_a_method():
    """A new option of the relaxation group joins the protocol, or is excluded here by name."""
    options = {path.stem for path in (CONF / "relaxation").glob("*.yaml")}
    defaults = yaml.safe_load((CONF / "protocol/methods/all.yaml").read_text())["defaults"]
    methods = {next(iter(entry.values())) for entry in defaults if isinstance(entry, dict)}
    assert methods == options - NO_METHODS


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty")
def test_a_checkpoint_joins_a_report_once(tmp_path):
    """report=<folder> adds the trained network's row; a second time replaces it."""
    cfg = _smoke("protocol_assignment", tmp_path / "protocol")
    cfg.protocol.trials = {"gap": 1}
    evaluate(cfg)
    checkpoint = train(tiny_training(tmp_path / "training"))["checkpoint"]
    folder = tmp_path / "protocol/run"
    for _ in range(2):
        overrides = [f"checkpoint={checkpoint}", f"report={folder}"]
        row = evaluate(compose_config("evaluate", overrides, tmp_path / "judged"))["rows"][0]
    rows = pd.read_parquet(folder / "results.parquet")
    joined = rows[rows["problem"] == "checkpoints"]
    assert joined["value"].tolist() == [pytest.approx(row["test_regret"])]
    assert "decision_focused" in (folder / "report.md").read_text()


def test_wandb_gets_the_tables_and_figures(tmp_path, monkeypatch):
    """An offline run lies in the run folder, without an account."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    cfg = _smoke("protocol_assignment", tmp_path)
    cfg.wandb, cfg.protocol.trials = True, {"gap": 1}
    evaluate(cfg)
    (run,) = (tmp_path / "run/wandb").glob("offline-run-*")
    media = {path.name.split("_")[0] for path in (run / "files/media").rglob("*") if path.is_file()}
    assert media
    assert list(run.glob("*.wandb"))


LAUNCHERS = {
    "joblib": ("hydra_plugins.hydra_joblib_launcher", []),
    "submitit_local": ("hydra_plugins.hydra_submitit_launcher", ["hydra.launcher.timeout_min=10"]),
    "ray": ("hydra_plugins.hydra_ray_launcher", ["+hydra.launcher.ray.init.num_cpus=2"]),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_launcher_shares_one_store(launcher, tmp_path):
    """Two shards as two jobs of a real launcher: one complete report in the sweep's folder."""
    module, options = LAUNCHERS[launcher]
    try:
        found = find_spec(module) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        pytest.skip(f"needs {module}")
    arguments = [
        "-m",
        "experiment=protocol_assignment",
        "protocol=smoke",
        "protocol.trials={gap: 2, gradient: 0, overhead: 0, end_to_end: 0, rho_sweep: 0, ablation: 0}",
        "protocol.shard=0,1",
        "protocol.shards=2",
        f"hydra/launcher={launcher}",
        f"hydra.sweep.dir={tmp_path / 'sweep'}",
        "wandb=false",
        *options,
    ]
    done = subprocess.run(
        [sys.executable, "evaluate.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "WANDB_MODE": "disabled"},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = pd.read_parquet(tmp_path / "sweep/results.parquet")
    cells = rows[rows["quantity"] == "cell_seconds"]
    assert set(cells["trial"]) == {0, 1}
    assert not cells.duplicated(["size", "trial", "method", "group"]).any()
    report = (tmp_path / "sweep/report.md").read_text()
    assert f"| cells | {len(cells)} of {len(cells)} finished |" in report


def test_slurm_and_remote_ray_are_configuration_alone(tmp_path):
    """The documented command lines compose."""
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    from hydra import compose, initialize_config_dir

    documented = [["hydra/launcher=submitit_slurm", "hydra.launcher.partition=cpu"]]
    if find_spec("hydra_plugins.hydra_ray_launcher"):
        documented.append(["hydra/launcher=ray", "+hydra.launcher.ray.init.address=ray://head:10001"])
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for overrides in documented:
            cfg = compose("evaluate", ["experiment=protocol_tsp", *overrides], return_hydra_config=True)
            assert OmegaConf.select(cfg, "hydra.launcher._target_")
