"""What one run of the experimental protocol does, typed; `conf/protocol/*.yaml` fills it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

#: groups of measurements, in the order they are reported
GROUPS = ("gap", "gradient", "overhead", "end_to_end", "rho_sweep", "ablation")


@dataclass
class OracleConfig:
    """Who decides exactly and within which limits, in every layer, loss and label; see `Problem.solve`."""

    name: str = "auto"
    time_limit: float | None = None
    num_workers: int | None = None
    seed: int = 0


@dataclass
class GradientSettings:
    """Gradient accuracy.

    directions: along which finite differences are taken. Few: a noisy cosine; many: cost.
    samples: antithetic pairs of the Monte-Carlo smoothing. Its own noise is reported beside it.
    sigma: noise of the smoothing in units of mean|theta|. Small: steep, mostly zero; large: another problem.
    repeats: gradients drawn for the variance of stochastic estimators.
    """

    directions: int = 16
    samples: int = 400
    sigma: float = 0.5
    repeats: int = 6


@dataclass
class OverheadSettings:
    """batch: instances per call, time is per instance. repeats: calls, the median counts."""

    batch: int = 16
    repeats: int = 5


@dataclass
class EndToEndSettings:
    """Training of the small network: instances, epochs, Adam; test: length of the stream it is judged on."""

    train: int = 100
    test: int = 100
    epochs: int = 10
    batch: int = 20
    learning_rate: float = 1e-2
    #: sizes that are trained on; empty = all
    sizes: list[int] = field(default_factory=list)


@dataclass
class ProtocolConfig:
    """One problem family, its sizes, and how much of everything.

    Attributes:
        problem: tsp, coloring, jobshop, assignment, shortest_path or knapsack.
        scale: which of `sizes` and `files` are run.
        sizes: scale -> sizes; what a size counts is said in `trials.py`.
        files: scale -> names of benchmark files, those present in `data_folder` are run.
        trials: group -> random instances per size (0: skip the group).
        methods: name -> node of the relaxation group.
        oracle: of every method's exact decisions.
        skip: group -> methods left out of it, for those that can only repeat another's numbers.
        ratios: rho / rho_bar of the sweep.
        time_limit: wall-clock seconds of one exact solve on a benchmark file.
        workers: processes; None: one a core.
        shard, shards: run only every `shards`-th instance, for a multirun over machines.
    """

    problem: str = MISSING
    scale: str = MISSING
    sizes: dict[str, list[int]] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    data_folder: str = "data"
    trials: dict[str, int] = field(default_factory=dict)
    methods: dict[str, Any] = field(default_factory=dict)
    oracle: OracleConfig = field(default_factory=OracleConfig)
    skip: dict[str, list[str]] = field(default_factory=dict)
    gradient: GradientSettings = field(default_factory=GradientSettings)
    overhead: OverheadSettings = field(default_factory=OverheadSettings)
    end_to_end: EndToEndSettings = field(default_factory=EndToEndSettings)
    ratios: list[float] = field(default_factory=list)
    time_limit: float = 10.0
    seed: int = 0
    workers: int | None = None
    shard: int = 0
    shards: int = 1
