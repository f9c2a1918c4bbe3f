"""Result tables: one row a method and seed, one table for the jobs of a multirun."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

#: numbers to average over seeds; every other column but the seed says what was run
_MEASURED = ("test_regret", "train_seconds", "tuning_seconds", "tuning_trials")
#: the command line of a job, beside its results
_OVERRIDES = "overrides.yaml"
#: differ from one run to the next without saying anything
_TIMES = ("train_seconds", "tuning_seconds")


def save_results(rows: list[dict[str, Any]], folder: Path) -> pd.DataFrame:
    """Write `results.csv` into `folder`."""
    table = pd.DataFrame(rows)
    table.to_csv(folder / "results.csv", index=False)
    return table


def format_results(table: pd.DataFrame) -> str:
    """The table as text; rows of several seeds become "mean ± std (seeds)"."""
    keys = identity_of(table)
    if "seed" not in table or not table.duplicated(keys).any():
        return table.to_string(index=False, float_format=lambda v: f"{v:.4f}", na_rep="-")
    summary = []
    for key, group in table.groupby(keys, sort=False, dropna=False):
        row: dict[str, Any] = dict(zip(keys, key, strict=True))
        row["seeds"] = group["seed"].nunique()
        for column in table.columns.difference([*keys, "seed"], sort=False):
            # std over seeds of a population of runs: ddof = 1
            mean, std = group[column].mean(), group[column].std()
            row[column] = f"{mean:.4f} ± {std:.4f}" if pd.notna(std) else f"{mean:.4f}"
        summary.append(row)
    return pd.DataFrame(summary).to_string(index=False, na_rep="-")


def identity_of(table: pd.DataFrame) -> list[str]:
    """The columns that say what was run: all but the seed and what was measured."""
    return [c for c in table.columns if c != "seed" and c not in _MEASURED and not c.startswith("regret_")]


class CollectResults(Callback):
    """Hydra callback: gather the results.csv of all jobs into one table, job by job."""

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Remember what the job was told; keep the table of a sweep that is stopped complete so far."""
        folder = Path(config.hydra.runtime.output_dir)
        in_sweep = config.hydra.get("mode") is not None and config.hydra.mode.name == "MULTIRUN"
        if in_sweep and (folder / "results.csv").exists():
            (folder / _OVERRIDES).write_text(yaml.safe_dump(list(job_return.overrides or [])))
            _collect(Path(config.hydra.sweep.dir))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Write `results.csv` into the sweep folder and print it."""
        folder = Path(config.hydra.sweep.dir)
        table = _collect(folder)
        if table is not None:
            print(f"\n{format_results(table)}\n\nsaved to {folder / 'results.csv'}")


def _collect(folder: Path) -> pd.DataFrame | None:
    """results.csv of all jobs below `folder`, whole or not at all; None where no job has one yet."""
    found = [path.parent for path in folder.rglob("results.csv") if path.parent != folder]
    if not found:
        return None
    table = collected(sorted(found, key=lambda job: (len(job.name), job.name)))
    unfinished = folder / f".results.{os.getpid()}.csv"
    table.to_csv(unfinished, index=False)
    unfinished.replace(folder / "results.csv")
    return table


def collected(jobs: list[Path]) -> pd.DataFrame:
    """All rows of the jobs' results.csv, with a column for each swept key that no other column tells.

    A job's last row is its own and always there. Rows above it, of the optimum and of the controls, say
    the same in many jobs: of those that differ in nothing but time one is kept, without the swept keys.
    """
    swept = _swept([_overrides(job) for job in jobs])
    own, shared = [], []
    for number, (job, values) in enumerate(zip(jobs, swept, strict=True)):
        rows = pd.read_csv(job / "results.csv")
        rows.insert(0, "_job", number)
        own.append(rows.iloc[-1:].assign(**values))
        shared.append(rows.iloc[:-1].assign(**values))
    mine, others = pd.concat(own), pd.concat(shared)
    told = _told(mine, list(swept[0]))
    others = _once(others, told)
    table = pd.concat([others, mine]).sort_values("_job", kind="stable").drop(columns=["_job"])
    hidden = [key for key in swept[0] if key not in told]
    return table.drop(columns=hidden).reset_index(drop=True)


def _once(rows: pd.DataFrame, told: list[str]) -> pd.DataFrame:
    """Rows that differ in time and swept keys alone as one; what was swept does not matter to those.

    The problem always matters: every one has an optimum of its own.
    """
    told = [key for key in told if key != "problem"]
    compared = [c for c in rows.columns if c not in ("_job", *_TIMES) and c not in told]
    if not compared or rows.empty:
        return rows
    repeated = rows.duplicated(compared, keep=False)
    kept = rows.drop_duplicates(compared)
    kept.loc[repeated[~rows.duplicated(compared)], told] = None
    return kept


def _overrides(job: Path) -> dict[str, str]:
    """Key -> value of the job's command line; empty where it was not kept."""
    path = job / _OVERRIDES
    words = yaml.safe_load(path.read_text()) if path.exists() else []
    pairs = (word.lstrip("+").partition("=") for word in words)
    return {key: value for key, _, value in pairs if not key.startswith("~")}


def _swept(given: list[dict[str, str]]) -> list[dict[str, str | None]]:
    """Of every job, the keys that not all jobs share, without the seed: rows have a column for it."""
    names = dict.fromkeys(key for one in given for key in one)
    keys = [key for key in names if len({one.get(key) for one in given}) > 1 and key != "seed"]
    return [{key: one.get(key) for key in keys} for one in given]


def _told(own: pd.DataFrame, swept: list[str]) -> list[str]:
    """The swept keys whose values the jobs' own rows do not tell apart by another column."""
    columns = [c for c in identity_of(own) if c not in ("_job", *swept)]

    def says(column: str, key: str) -> bool:
        pairs = own[[column, key]].astype(str).drop_duplicates()
        return len(pairs) == own[column].astype(str).nunique() == own[key].astype(str).nunique()

    return [key for key in swept if not any(says(column, key) for column in columns)]
