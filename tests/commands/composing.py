"""Compose the commands' configs as Hydra would, writing below a test's own folder."""

from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from diffcomb.protocol import register_configs

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"

#: small enough for a second or two
TINY = [
    "datamodule.num_train=12",
    "datamodule.num_val=4",
    "datamodule.num_test=4",
    "datamodule.batch_size=6",
    "trainer.max_epochs=1",
]
TINY_PROBLEM = {
    "tsp": ["problem.num_cities=6"],
    "jobshop": ["problem.num_jobs=3", "problem.num_machines=2"],
    "coloring": [
        "problem.num_channels=3",
        "problem.smallest=5",
        "problem.largest=8",
        "problem.interference=1.5",
    ],
    "roads": [
        "problem.network=grid",
        "problem.rows=4",
        "problem.cols=4",
        "datamodule.num_pairs=8",
        "datamodule.trips_per_hour=4",
        "datamodule.num_stops=4",
        "datamodule.transfer=null",  # needs no files
    ],
    "shortest_path": ["problem.rows=3", "problem.cols=3"],
    "assignment": ["problem.size=4"],
    "knapsack": ["problem.num_items=8"],
}


def compose_config(name: str, overrides: list[str], folder: Path) -> DictConfig:
    register_configs()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(name, [*overrides, f"output_dir={folder / 'run'}"])


def tiny_training(folder: Path, problem: str = "assignment", *overrides: str) -> DictConfig:
    """A training config that finishes in seconds."""
    cache = f"datamodule.cache_dir={folder / 'cache'}"
    return compose_config(
        "train", [f"problem={problem}", cache, *TINY, *TINY_PROBLEM.get(problem, []), *overrides], folder
    )
