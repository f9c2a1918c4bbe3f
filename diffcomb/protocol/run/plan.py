"""Which cells a run consists of."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from diffcomb.protocol.measure.ablations import VARIANTS
from diffcomb.protocol.measure.rho_sweep import SOLVERS
from diffcomb.protocol.setup.benchmark_files import FOLDERS
from diffcomb.protocol.setup.cells import Cell
from diffcomb.protocol.setup.settings import GROUPS, ProtocolConfig
from diffcomb.protocol.setup.trials import trial_of


def plan(settings: ProtocolConfig) -> list[Cell]:
    """All cells of checked settings, the ones of an instance next to each other."""
    cells = []
    for size in settings.sizes[settings.scale]:
        for trial in range(max(settings.trials.values(), default=0)):
            instance = trial_of(settings.problem, str(size), trial, settings.seed, None)
            for group in GROUPS:
                trains = size in (settings.end_to_end.sizes or [size])
                if trial < settings.trials.get(group, 0) and (group != "end_to_end" or trains):
                    names = methods_of(group, settings, instance.oracles)
                    cells += [Cell(settings.problem, str(size), trial, name, group) for name in names]
    for name in present_files(settings):
        instance = trial_of(settings.problem, name, 0, settings.seed, settings.data_folder)
        names = methods_of("gap", settings, instance.oracles)
        cells += [Cell(settings.problem, name, 0, method, "gap") for method in names]
    return cells


def methods_of(group: str, settings: ProtocolConfig, oracles: list[str]) -> list[str]:
    """Who is measured in a group. Whether a method can take the problem it says itself, when run."""
    methods = list(settings.methods)
    if group == "gap":
        return [*(f"oracle={name}" for name in oracles), *methods]
    if group == "rho_sweep":
        return list(SOLVERS)
    if group == "ablation":
        return list(VARIANTS)
    return [name for name in methods if name not in settings.skip.get(group, [])]


def present_files(settings: ProtocolConfig) -> list[str]:
    """Names of the benchmark files wanted that are there."""
    if settings.problem not in FOLDERS:
        return []
    folder, suffix = FOLDERS[settings.problem]
    wanted = settings.files.get(settings.scale, [])
    return [name for name in wanted if (Path(settings.data_folder) / folder / f"{name}{suffix}").exists()]


def tasks(cells: list[Cell], settings: ProtocolConfig) -> list[list[Cell]]:
    """Cells of one instance together (they share its references), of this shard only."""
    grouped = [list(group) for _, group in groupby(cells, key=lambda c: (c.size, c.trial))]
    return grouped[settings.shard :: settings.shards]
