"""Whatever is wrong with a config is one sentence that names the key, before anything is written."""

import copy
from functools import cache
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf, open_dict

from diffcomb.errors import DiffcombError
from diffcomb.protocol.commands.sentence import USER_ERRORS, sentence
from evaluate import evaluate
from models import validate
from tests.commands.composing import compose_config

#: key=value and the words that its refusal has, one line a kind
VALUES = {
    # rates, seeds, smoothing
    "learning_rate=-0.1": "learning_rate must be not negative",
    "learning_rate=.nan": "learning_rate must be not negative and finite",
    "weight_decay=-1.0": "weight_decay must be not negative",
    "seed=-1": "seed must be a whole number in 0",
    "datamodule.seed=-1": "datamodule.seed must be a whole number in 0",
    "rho=-2": "rho must be a positive number or auto",
    "rho=[1, 2]": "rho must be a positive number or auto",
    "rho=true": "rho must be a positive number or auto",
    # what constructors declare
    "problem.size=abc": "problem.size must be a whole number, got 'abc'",
    "problem.size=1.5": "problem.size must be a whole number",
    "problem.size=null": "problem.size must be a whole number",
    "problem.foo=3": "problem.foo is no argument",
    "problem._target_=diffcomb.problems.Nope": "problem._target_ diffcomb.problems.Nope cannot be found",
    "problem._target_=builtins.dict": "problem must build a Problem",
    "problem={}": "problem must be an option of its group",
    "solver.rhoo=1": "solver.rhoo is no argument",
    "solver.lazy_rows=perhaps": "solver.lazy_rows must be true or false",
    "model.hidden=0": "model.hidden must be at least 1",
    "model.num_layers=-1": "model.num_layers must be a whole number",
    "model.foo=1": "model.foo is no argument",
    "loss.foo=1": "loss.foo is no argument",
    "loss._target_=torch.nn.Sequential": "Sequential is no loss of decisions",
    # data
    "datamodule.num_train=abc": "datamodule.num_train must be a whole number",
    "datamodule.batch_size=2.5": "datamodule.batch_size must be a whole number",
    "datamodule.batch_size=0": "at least 1",
    "datamodule.noise=-1": "must not be negative",
    "datamodule.cache_dir=/proc/nope": "datamodule.cache_dir /proc/nope cannot be written",
    "datamodule._target_=datamodules.TsplibInstances": "is no argument of datamodules.TsplibInstances",
    # limits
    "oracle.time_limit=0.0": "oracle.time_limit must be positive",
    "oracle.num_workers=0": "oracle.num_workers must be at least 1",
    "oracle.name=delphi": "Unknown oracle 'delphi'",
    "trainer.max_epochs=0": "trainer.max_epochs must be a whole number of at least 1",
    "trainer.max_epochs=null": "trainer.max_epochs must be a whole number of at least 1",
    "trainer.devices=0": "trainer.devices must be a number of devices",
    "trainer.devices=100000": "trainer.devices must be a number of devices",
    "trainer.precision=12": "trainer.precision must be",
    "trainer.limit_val_batches=0": "trainer.limit_val_batches must be a number of batches",
    "trainer.limit_train_batches=1.5": "trainer.limit_train_batches must be a number of batches",
    "trainer.check_val_every_n_epoch=99": "beyond trainer.max_epochs",
    "trainer.accelerator=quantum": "trainer .Trainer. cannot be built",
    "trainer.num_nodes=2": "waits for machines that nobody started",
    "trainer.fast_dev_run=true": "trainer.fast_dev_run must be false",
    "trainer.foo=1": "trainer.foo is no argument",
    # loggers, callbacks, paths
    "logger.wandb.mode=sometimes": "must be online, offline or disabled",
    "logger.foo=3": "logger.foo must be an option of its group",
    "callbacks.best.monitor=val/accuracy": "callbacks.best.monitor must be one of",
    "callbacks.best.mode=middle": "callbacks.best .ModelCheckpoint. cannot be built",
    "resume=/nonexistent.ckpt": "No checkpoint /nonexistent.ckpt",
    "output_dir=/etc/passwd": "output_dir /etc/passwd cannot be written",
    "output_dir=/etc/passwd/run": "output_dir /etc/passwd/run cannot be written",
    "output_dir=/etc": "already holds files of another run",
    "output_dir=' '": "output_dir must be the path of a folder",
    # methods
    "relaxation={}": "relaxation must be an option of conf/relaxation",
    "relaxation.name=a/b": "must be a plain name",
    "relaxation.name=two_stage": "Two different methods are called two_stage",
    "relaxation.layer=5": "relaxation.layer must be an option of its group",
    "relaxation.foo=5": "relaxation.foo means nothing",
    "foo=1": "foo means nothing",
}

#: command line -> words: parts that are all right alone
MISFITS = {
    "problem=coloring relaxation=birkhoff": "Birkhoff does not apply to GraphColoring",
    "problem=shortest_path relaxation=gumbel_sinkhorn": "GumbelSinkhorn does not apply to ShortestPath",
    "problem=assignment model=operations": "OperationEncoder predicts .2, 24. costs, but Assignment has 144",
    "problem=assignment model=choices": "ChoiceEncoder cannot read the batches",
    "problem=knapsack relaxation=two_stage_log": "LogCostMSELoss needs positive predictions and costs",
    "problem=jobshop loss=regret": "Start times times costs are no cost of a schedule",
    "problem=jobshop loss=fenchel_young": "no meaning for start times",
    "problem=assignment loss=planned_start": "PlannedStartLoss needs a layer over a JobShop",
    "problem=assignment oracle=knapsack": "Unknown oracle 'knapsack' for Assignment",
    "problem=assignment datamodule=roads": "RoadsDataModule needs problem=roads",
    "problem=tsp datamodule=uniform_tsp problem.num_cities=5": "learns from decisions, which the",
    "problem=tsp relaxation=dimes_meta": "uniform_tsp",
    "problem=assignment relaxation=birkhoff relaxation.tune.epochs=1 relaxation.tune.grid.tau=[-1.0]": "tau",
    "problem=roads +datamodule.transfer.Nowhere=1.0 problem.folder=/none datamodule.num_pairs=5": "Nowhere",
}

#: command line -> what is too large
SIZES = {
    "problem=tsp problem.num_cities=100000": "The problem needs about",
    "problem=tsp problem.num_cities=2000 datamodule.num_train=100000": "The data set of 100300 instances",
    "problem=assignment model.hidden=1000000": "The model needs about",
    "problem=assignment relaxation=dpo relaxation.layer.num_samples=1000000000": "does not fit into memory",
}


@cache
def _composed(command: str, line: str, folder: Path):
    return compose_config(command, line.split(), folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


def _refused(cfg, words: str, folder: Path) -> None:
    with pytest.raises(USER_ERRORS, match=words) as raised:
        validate(cfg)
    assert isinstance(raised.value, DiffcombError)
    assert "\n" not in sentence(raised.value)
    assert not (folder / "run").exists()


@pytest.mark.parametrize("override", VALUES)
def test_a_value_that_means_nothing_is_refused(override, folder):
    """Its key and what would do are in the sentence."""
    key, value = override.split("=", 1)
    cfg = copy.deepcopy(_composed("train", "problem=assignment", folder))
    with open_dict(cfg):
        OmegaConf.update(cfg, key, yaml.safe_load(value), merge=False, force_add=True)
    _refused(cfg, VALUES[override], folder)


@pytest.mark.parametrize("line", MISFITS)
def test_parts_that_do_not_fit_are_refused(line, folder):
    """Encoder, data, loss, relaxation and problem are tried together on a tiny batch."""
    _refused(_composed("train", line, folder), MISFITS[line], folder)


@pytest.mark.parametrize("line", SIZES)
def test_sizes_beyond_the_machine_are_refused(line, folder):
    """By an estimate, or by the first allocation that cannot be had; nobody is killed for memory."""
    _refused(_composed("train", line, folder), SIZES[line], folder)


@pytest.mark.parametrize(
    "line", ["sede=1", "seed=abc", "problem=travelling", "solver=simplex", "problem=null", "oracle=delphi"]
)
def test_what_does_not_compose_is_a_sentence_too(line, folder):
    """Hydra's errors in one line, without its advice on its own stack trace."""
    with pytest.raises((*USER_ERRORS, ValueError)) as raised:
        compose_config("train", [line], folder)
    told = sentence(raised.value)
    assert "\n" not in told
    assert "HYDRA_FULL_ERROR" not in told


def test_a_run_that_exists_is_not_written_over(folder, tmp_path):
    """Neither by a training nor by an evaluation that would replace its table."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text("seed: 0")
    (run / "results.csv").write_text("kept")
    for command, call in (("train", validate), ("evaluate", evaluate)):
        line = ["problem=assignment"] if command == "train" else ["datamodule=tsplib"]
        with pytest.raises(DiffcombError, match=str(run)):
            call(compose_config(command, line, tmp_path))
    assert (run / "results.csv").read_text() == "kept"


#: options and overrides of evaluate.py -> words
EVALUATIONS = {
    ("", ""): "Nothing to evaluate",
    ("", "checkpoint=/nonexistent"): "No checkpoint /nonexistent",
    ("datamodule=learned_costs", ""): "is a data set to train on",
    ("datamodule=tsplib", "datamodule.folder=/nonexistent"): "No TSPLIB files",
    ("datamodule=tsplib", "solver.decision=relaxed"): "judges exact decisions",
    ("datamodule=tsplib", "report=/tmp"): "the row of a checkpoint joins",
}
#: overrides of a protocol -> words
PROTOCOLS = {
    "checkpoint=/etc/passwd": "A protocol runs alone",
    "protocol.scale=tiny": "no scale 'tiny'",
    "protocol.problem=nosuch": "Unknown protocol.problem 'nosuch'",
    "protocol.trials.gap=-1": "protocol.trials.gap must not be negative",
    "protocol.sizes.full=[0]": "protocol.sizes.full must be at least 1",
    "protocol.ratios=[0]": "must be positive",
    "protocol.shards=0": "protocol.shards must be at least 1",
    "protocol.workers=0": "protocol.workers must be at least 1",
    "protocol.gradient.samples=1": "protocol.gradient.samples must be at least 2",
    "protocol.methods.kkt=null": "protocol.methods.kkt must be a node",
    "protocol.methods.kkt.layer=5": "protocol.methods.kkt.layer must be an option",
    "protocol.methods.imle.layer.foo=5": "protocol.methods.imle.layer.foo is no argument",
    "protocol.methods.kkt.loss._target_=nosuch.Loss": "cannot be found",
    "oracle.name=delphi": "Unknown oracle",
    "output_dir=/etc": "already holds files",
}


@pytest.mark.parametrize(("option", "override"), EVALUATIONS)
def test_what_cannot_be_evaluated_is_refused(option, override, folder):
    """The same for the other command."""
    _evaluation_refused(
        _composed("evaluate", option, folder), override, EVALUATIONS[option, override], folder
    )


@pytest.mark.parametrize("override", PROTOCOLS)
def test_a_protocol_that_cannot_run_is_refused(override, folder):
    """Before the folder is made that it would go on in."""
    cfg = _composed("evaluate", "experiment=protocol_tsp", folder)
    _evaluation_refused(cfg, override, PROTOCOLS[override], folder)


def _evaluation_refused(cfg, override: str, words: str, folder: Path) -> None:
    cfg = copy.deepcopy(cfg)
    if override:
        key, value = override.split("=", 1)
        with open_dict(cfg):
            OmegaConf.update(cfg, key, yaml.safe_load(value), merge=False, force_add=True)
    with pytest.raises(DiffcombError, match=words):
        evaluate(cfg)
    assert not (folder / "run").exists()
