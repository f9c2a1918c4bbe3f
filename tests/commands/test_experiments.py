"""Every experiment runs; every sweep is a multirun over keys that exist."""

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from hydra.types import RunMode

from diffcomb.protocol import register_configs
from tests.commands.composing import CONF, TINY, TINY_PROBLEM, compose_config
from train import train

# those of evaluate.py are run in test_protocol
EXPERIMENTS = sorted(
    path.stem for path in (CONF / "experiment").glob("*.yaml") if not path.stem.startswith("protocol_")
)
SWEEPS = sorted(path.stem for path in (CONF / "sweep").glob("*.yaml"))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment_runs(name, tmp_path):
    """At a tiny size, through the training command."""
    composed = compose_config("train", [f"experiment={name}"], tmp_path)
    choice = composed.problem["_target_"]
    sizes = {
        "Assignment": "assignment",
        "RoadTrips": "roads",
        "grid": "shortest_path",
        "TravelingSalesman": "tsp",
    }
    size = TINY_PROBLEM[sizes[choice.split(".")[-1]]]
    cache = f"datamodule.cache_dir={tmp_path / 'cache'}"
    out = train(compose_config("train", [f"experiment={name}", cache, *TINY, *size], tmp_path))
    assert out["rows"][-1]["method"] == composed.relaxation.name


@pytest.mark.parametrize("name", SWEEPS)
def test_sweep_is_a_multirun_over_known_keys(name):
    """hydra.mode is MULTIRUN, and each swept key can be set."""
    register_configs()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("train", [f"sweep={name}"], return_hydra_config=True)
        assert cfg.hydra.mode == RunMode.MULTIRUN
        for key, values in cfg.hydra.sweeper.params.items():
            compose("train", [f"{key}={str(values).split(',')[0]}"])


def test_experiments_of_one_command_are_refused_by_the_other(tmp_path):
    """They share a group; a wrong pairing stops when it is composed and names the missing group."""
    with pytest.raises(HydraException, match="protocol"):
        compose_config("train", ["experiment=protocol_tsp"], tmp_path)
    with pytest.raises(HydraException, match="loss"):
        compose_config("evaluate", ["experiment=grid_regret"], tmp_path)
