"""Savings on real roads over several seeds: `python -m benchmarks.roads FOLDER`.

FOLDER: the runs of `python train.py -m experiment=roads_anaheim seed=0,1,2,3,4`. Each seed has hours, trips,
tours and starting weights of its own, so seeds are what varies: printed are means over them of the time above
the best plan and of the time saved per 1000 trips, with 95 % intervals by Student's t, and on how many seeds
a method was ahead.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

BEST = "best possible"


def times_of(folder: Path) -> pd.DataFrame:
    """(network, decision, seed) by method: time per 1000."""
    files = sorted(folder.rglob("roads.csv"))
    if not files:
        raise SystemExit(f"No roads.csv below {folder}.")
    runs = pd.concat([pd.read_csv(file).assign(seed=k) for k, file in enumerate(files)])
    columns = list(dict.fromkeys(runs["method"]))
    index = ["network", "decision", "seed"]
    return runs.pivot(index=index, columns="method", values="time")[columns]


def interval(values: np.ndarray) -> str:
    """mean [95 % interval of the mean]; the mean alone of one value."""
    if len(values) < 2:
        return f"{values.mean():.3g}"
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.3g} [{values.mean() - half:.3g}, {values.mean() + half:.3g}]"


def savings(times: pd.DataFrame) -> Iterator[str]:
    """Markdown, a table for each kind of decision."""
    methods = [name for name in times.columns if name != BEST]
    for decision, of_decision in times.groupby(level="decision", sort=False):
        seeds = of_decision.index.get_level_values("seed").nunique()
        yield f"\n{decision}, {seeds} seeds\n"
        heads = [f"saved over {name.replace('_', ' ')}" for name in methods[:-1]]
        yield "| network | method | above best | " + " | ".join(heads) + " |"
        yield "|" + "---|" * (3 + len(heads))
        for network, rows in of_decision.groupby(level="network", sort=False):
            for k, name in enumerate(methods):
                above = 100 * (rows[name] / rows[BEST] - 1).to_numpy()
                cells = []
                for before in methods[:-1]:
                    if before not in methods[:k]:
                        cells.append("")
                        continue
                    saved = (rows[before] - rows[name]).to_numpy()
                    cells.append(f"{interval(saved)}, ahead on {(saved > 0).sum()}")
                cells = [
                    str(network) if k == 0 else "",
                    name.replace("_", " "),
                    f"{interval(above)} %",
                    *cells,
                ]
                yield "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    print("\n".join(savings(times_of(parser.parse_args().folder))))


if __name__ == "__main__":
    main()
