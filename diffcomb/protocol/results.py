"""Result tables: one row a method and seed, on disk as CSV, on screen as mean ± std over seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

#: columns that identify a method; the others are numbers to average over seeds
_KEYS = ["problem", "method", "loss", "rho"]


def save_results(rows: list[dict[str, Any]], folder: Path) -> pd.DataFrame:
    """Write `results.csv` into `folder`."""
    table = pd.DataFrame(rows)
    table.to_csv(folder / "results.csv", index=False)
    return table


def format_results(table: pd.DataFrame) -> str:
    """The table as text; rows of several seeds become "mean ± std (seeds)"."""
    keys = [key for key in _KEYS if key in table]
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
    return pd.DataFrame(summary).to_string(index=False)


class CollectResults(Callback):
    """Hydra callback: after a multirun, gather every job's results.csv into one table."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Write `results.csv` into the sweep folder and print it."""
        folder = Path(config.hydra.sweep.dir)
        parts = [pd.read_csv(path) for path in sorted(folder.glob("*/results.csv"))]
        if not parts:
            return
        table = pd.concat(parts, ignore_index=True)
        # the control and the optimum of one problem and seed are the same in every job
        identity = [c for c in table.columns if c in (*_KEYS, "seed")]
        table = table.drop_duplicates(identity, ignore_index=True)
        table.to_csv(folder / "results.csv", index=False)
        print(f"\n{format_results(table)}\n\nsaved to {folder / 'results.csv'}")
