"""The figures of a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_LINES = ("-", "--", ":", "-.")


def save_figures(rows: pd.DataFrame, folder: Path) -> list[Path]:
    """One PNG a problem and subject, for those that have rows."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for problem in rows["problem"].unique():
        part = rows[rows["problem"] == problem]
        for name, draw in FIGURES.items():
            figure = draw(part)
            if figure is not None:
                figure.suptitle(f"{problem}: {figure.get_suptitle()}", fontsize=10)
                FigureCanvasAgg(figure)
                path = folder / f"{problem}_{name}.png"
                figure.savefig(path, dpi=120)
                drawn.append(path)
    return drawn


def _panels(count: int, title: str, height: float = 4.2) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(1.0 + 5.0 * count, height), layout="constrained")
    figure.suptitle(title)
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def _select(rows: pd.DataFrame, group: str, quantity: str) -> pd.DataFrame:
    return rows[(rows["group"] == group) & (rows["quantity"] == quantity) & rows["value"].notna()]


def _bars(group: str, quantity: str, title: str, *, log: bool = False) -> Callable:
    """Mean ± std per method, one panel a size."""

    def draw(rows: pd.DataFrame) -> Figure | None:
        part = _select(rows, group, quantity)
        part = part[part["size"].str.isdigit()]
        if part.empty:
            return None
        sizes = list(part["size"].unique())
        longest = part.groupby("size")["method"].nunique().max()
        figure, axes = _panels(len(sizes), title, 1.2 + 0.22 * longest)
        for axis, size in zip(axes, sizes, strict=True):
            summary = part[part["size"] == size].groupby("method", sort=False)["value"].agg(["mean", "std"])
            summary = summary.iloc[::-1]
            axis.barh(summary.index, summary["mean"], xerr=summary["std"].fillna(0), color="tab:blue")
            axis.tick_params(axis="y", labelsize=7)
            axis.set_title(f"size {size}", fontsize=9)
            axis.set_xlabel(quantity)
            if log:
                axis.set_xscale("log")
        return figure

    return draw


def _scaling(rows: pd.DataFrame) -> Figure | None:
    """Milliseconds per gradient and per exact solve over the size, both axes logarithmic."""
    part = _select(rows, "overhead", "gradient_ms")
    solve = _select(rows, "overhead", "solve_ms")
    part, solve = (
        t[t["size"].str.isdigit()].assign(n=lambda t: t["size"].astype(int)) for t in (part, solve)
    )
    if part.empty:
        return None
    figure, (axis,) = _panels(1, "CPU time per instance over size", 5.0)
    for k, (method, group) in enumerate(part.groupby("method", sort=False)):
        mean = group.groupby("n")["value"].mean()
        # ten colours, and more methods: each round of them has a line style of its own
        style = _LINES[k // 10 % len(_LINES)]
        axis.plot(
            mean.index, mean, style, color=f"C{k % 10}", marker="o", markersize=3, linewidth=1, label=method
        )
    mean = solve.groupby("n")["value"].mean()
    axis.plot(mean.index, mean, color="black", linewidth=2.5, label="one exact solve")
    axis.set(xscale="log", yscale="log", xlabel="size", ylabel="CPU ms")
    axis.set_xticks(mean.index, [str(n) for n in mean.index], minor=False)
    axis.set_xticks([], minor=True)
    axis.legend(fontsize=6, ncols=2, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.set_size_inches(9, 5)
    return figure


def _rho_sweep(rows: pd.DataFrame) -> Figure | None:
    """Share exact, gap and gradient norm against rho / rho_bar, with rho' / rho_min on top."""
    part = rows[(rows["group"] == "rho_sweep") & rows["x"].notna() & rows["value"].notna()]
    if part.empty:
        return None
    quantities = [
        ("exact", "share x = z*"),
        ("relaxed_gap", "gap of theta'x"),
        ("gradient_norm", "gradient norm x rho_bar"),
    ]
    figure, axes = _panels(3, "sweep over rho (dotted: rho_bar)")
    for axis, (quantity, label) in zip(axes, quantities, strict=True):
        chosen = part[part["quantity"] == quantity]
        for (method, size), group in chosen.groupby(["method", "size"], sort=False):
            mean = group.groupby("x")["value"].mean()
            axis.plot(mean.index, mean, marker="o", markersize=3, label=f"{method}, {size}")
        axis.axvline(1.0, linestyle=":", color="black")
        axis.set(xscale="log", xlabel="rho / rho_bar", ylabel=label)
        top = axis.secondary_xaxis("top", functions=(_reciprocal, _reciprocal))
        top.set_xlabel("rho' / rho_min", fontsize=8)
    axes[0].legend(fontsize=7)
    return figure


def _reciprocal(x):  # type: ignore[no-untyped-def]
    # matplotlib also asks at 0 while it lays out
    return 1.0 / x.clip(1e-12) if hasattr(x, "clip") else 1.0 / max(x, 1e-12)


def _regret_curves(rows: pd.DataFrame) -> Figure | None:
    """Mean regret on the test stream after every epoch."""
    part = _select(rows, "end_to_end", "regret")
    if part.empty:
        return None
    sizes = list(part["size"].unique())
    figure, axes = _panels(len(sizes), "regret while training", 5.0)
    for axis, size in zip(axes, sizes, strict=True):
        for k, (method, group) in enumerate(part[part["size"] == size].groupby("method", sort=False)):
            mean = group.groupby("x")["value"].mean()
            style = _LINES[k // 10 % len(_LINES)]
            axis.plot(mean.index, mean, linestyle=style, linewidth=1.3, label=method)
        axis.set(xlabel="epoch", ylabel="regret", yscale="log", title=f"size {size}")
    axes[-1].legend(fontsize=6, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


FIGURES: dict[str, Callable[[pd.DataFrame], Figure | None]] = {
    "gap": _bars("gap", "gap", "optimality gap"),
    "cosine": _bars("gradient", "cosine_smoothed", "cosine with the gradient of smoothed z*"),
    "overhead": _bars("overhead", "overhead", "forward + backward over one exact solve", log=True),
    "scaling": _scaling,
    "rho_sweep": _rho_sweep,
    "regret": _regret_curves,
    "ablation": _bars("ablation", "cosine", "ablations: cosine with finite differences of x_rho"),
}
