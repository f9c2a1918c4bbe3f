"""Every option of every group composes, and every node fits the signature of its target."""

import inspect

import pytest
import yaml
from hydra.errors import HydraException
from hydra.utils import get_object
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tests.commands.composing import CONF, compose_config

GROUPS = sorted(path.name for path in CONF.iterdir() if path.is_dir() and path.name != "hydra")
OPTIONS = [(group, path.stem) for group in GROUPS for path in sorted((CONF / group).glob("*.yaml"))]
EVALUATE_ONLY = {("datamodule", "tsplib")}


def _targets(node):
    """All nodes with a _target_, outermost first."""
    if isinstance(node, DictConfig) and not node._is_none():
        if "_target_" in node:
            yield node
        for key in node:
            yield from _targets(node._get_node(key))
    elif isinstance(node, ListConfig):
        for item in node:
            yield from _targets(item)


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_option_composes_and_binds(group, option, tmp_path):
    """No option names a class that does not exist or an argument it does not take."""
    if group in ("sweep", "experiment", "protocol"):
        pytest.skip("run as a whole in test_experiments and test_protocol")
    command = "evaluate" if (group, option) in EVALUATE_ONLY else "train"
    cfg = compose_config(command, [f"{group}={option}"], tmp_path)
    for node in _targets(cfg):
        target = get_object(node["_target_"])
        names = {key for key in node if not str(key).startswith("_")}
        parameters = inspect.signature(target).parameters
        accepts_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        assert names <= set(parameters) or accepts_any, (node["_target_"], names - set(parameters))


@pytest.mark.parametrize("bad", ["sede=1", "seed=abc", "problem=travelling", "solver.rhoo=1"])
def test_misspelt_and_mistyped_keys_are_refused(bad, tmp_path):
    """A key that does not exist, a value of the wrong type and an unknown option all stop at once."""
    with pytest.raises((HydraException, OmegaConfBaseException)):
        compose_config("train", [bad], tmp_path)


@pytest.mark.parametrize("path", [p for p in sorted(CONF.rglob("*.yaml")) if "hydra" not in p.parts], ids=str)
def test_every_config_file_is_explained(path):
    """Each YAML file opens with a comment, or changes a sibling that does."""
    text = path.read_text()
    parsed = yaml.safe_load(text)
    assert text.startswith("#") or "defaults" in parsed


def test_resolved_config_is_plain(tmp_path):
    """The whole training config resolves without Hydra running."""
    cfg = compose_config("train", [], tmp_path)
    assert OmegaConf.to_container(cfg, resolve=True)["solver"]["rho"] == "auto"
