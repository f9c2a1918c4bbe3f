"""A picture of optimal against decided solutions, drawn as suits the problem."""

from __future__ import annotations

from functools import singledispatch
from pathlib import Path

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from diffcomb.problems import JobShop, Problem
from diffcomb.protocol.gantt_figure import save_gantt_figure


def save_decision_figure(
    path: Path,
    problem: Problem,
    positions: Tensor,
    optimal: Tensor,
    decided: dict[str, Tensor],
    costs: Tensor,
) -> None:
    """Edges on a map (one row an instance, one column a method), or Gantt charts for schedules.

    Args:
        positions: (count, num_nodes, 2).
        optimal, costs: (count, n).
        decided: method -> (count, n).
    """
    _save(problem, path, positions, optimal, decided, costs)


@singledispatch
def _save(
    problem: Problem,
    path: Path,
    positions: Tensor,
    optimal: Tensor,
    decided: dict[str, Tensor],
    costs: Tensor,
) -> None:
    """Optimal edges wide and grey, decided ones on top."""
    edge_index = problem.cost_graph().edge_index
    count, methods = len(positions), list(decided)
    figure = Figure(figsize=(3.2 * len(methods), 3.4 * count), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(count, len(methods), squeeze=False)
    for i in range(count):
        optimum = float((costs[i] * optimal[i]).sum())
        for axis, method in zip(axes[i], methods, strict=True):
            z = decided[method][i]
            _draw_edges(axis, positions[i], edge_index[:, optimal[i] > 0.5], "0.82", 5.0)
            agree = optimal[i] > 0.5
            _draw_edges(axis, positions[i], edge_index[:, (z > 0.5) & agree], "tab:blue", 1.6)
            _draw_edges(axis, positions[i], edge_index[:, (z > 0.5) & ~agree], "tab:red", 1.6)
            axis.scatter(*positions[i].T, s=14, color="black", zorder=3)
            extra = (float((costs[i] * z).sum()) - optimum) / abs(optimum)
            axis.set_title(f"{method}: {extra:+.1%}", fontsize=9)
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_aspect("equal")
    figure.suptitle(
        "grey: optimal, blue: decided and optimal, red: decided only; % above the optimum", fontsize=9
    )
    figure.savefig(path, dpi=130)


def _draw_edges(axis: object, positions: Tensor, edges: Tensor, color: str, width: float) -> None:
    for u, v in edges.T.tolist():
        ends = torch.stack([positions[u], positions[v]]).T
        if u == v:  # an item: mark the node itself
            axis.scatter(*positions[u], s=30 * width, facecolors="none", edgecolors=color, linewidths=width)  # type: ignore[attr-defined]
        else:
            axis.plot(*ends, color=color, linewidth=width, solid_capstyle="round")  # type: ignore[attr-defined]


@_save.register
def _(
    problem: JobShop,
    path: Path,
    positions: Tensor,
    optimal: Tensor,
    decided: dict[str, Tensor],
    costs: Tensor,
) -> None:
    """The first instance: the best schedule, then what becomes of each plan under the true durations."""
    schedules = {"optimal": (optimal[0], costs[0])}
    for method, plans in decided.items():
        schedules[f"{method}, executed"] = (problem.execute(plans[0], costs[0]), costs[0])
    save_gantt_figure(path, problem, schedules)
