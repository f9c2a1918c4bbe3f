"""How much time plans save over a baseline, with confidence intervals, as table and figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_RESAMPLES = 2000


def savings_table(times: dict[str, np.ndarray], optimum: np.ndarray, per: int = 1000) -> pd.DataFrame:
    """One row a method: time per `per` trips, and what it saves over every method before it.

    Intervals are 95 % percentile bootstraps over groups (trips of one hour share its traffic, so hours
    are drawn, not trips), the methods compared on the same trips.

    Args:
        times: method -> (groups, trips) true time of its plans, first the baseline.
        optimum: (groups, trips), of the best plans.
    """
    groups = len(optimum)
    drawn = np.random.default_rng(0).integers(groups, size=(_RESAMPLES, groups))
    rows = []
    names = list(times)
    for k, name in enumerate(names):
        row: dict[str, object] = {
            "method": name,
            "time": per * times[name].mean(),
            "above_best": f"{times[name].sum() / optimum.sum() - 1:.2%}",
        }
        for before in names[:k]:
            saved = per * (times[before] - times[name]).mean(1)
            low, high = np.quantile(saved[drawn].mean(1), [0.025, 0.975])
            row[f"saved_over_{before}"] = f"{saved.mean():.3g} [{low:.3g}, {high:.3g}]"
        rows.append(row)
    rows.append({"method": "best possible", "time": per * optimum.mean(), "above_best": "0.00%"})
    return pd.DataFrame(rows).fillna("")


def save_savings_figure(
    path: Path, panels: dict[str, dict[str, np.ndarray]], *, unit: str = "time", per: int = 1000
) -> None:
    """Cumulative time saved over the first method against trips, one panel a data set.

    Shaded: 95 % of bootstrap resamples of the groups.

    Args:
        panels: title -> method -> (groups, trips) true times, the first method being the baseline.
    """
    figure = Figure(figsize=(4.6 * len(panels), 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (title, times) in zip(axes, panels.items(), strict=True):
        baseline, *others = times
        rng = np.random.default_rng(0)
        groups, trips = times[baseline].shape
        needed = -(-per // trips)
        drawn = rng.integers(groups, size=(400, needed))
        count = np.arange(1, needed * trips + 1)
        for color, name in zip(["tab:orange", "tab:green", "tab:blue", "tab:purple"], others, strict=False):
            saved = (times[baseline] - times[name])[drawn].reshape(len(drawn), -1).cumsum(1)
            low, middle, high = np.quantile(saved, [0.025, 0.5, 0.975], axis=0)
            axis.fill_between(count[:per], low[:per], high[:per], color=color, alpha=0.15, linewidth=0)
            axis.plot(count[:per], middle[:per], color=color, label=name.replace("_", " "))
        axis.axhline(0, color="0.6", linewidth=0.8)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("trips")
        axis.set_ylabel(f"saved over {baseline.replace('_', ' ')} ({unit})")
        axis.legend(fontsize=8, frameon=False)
    figure.savefig(path, dpi=130)
