"""A picture of optimal against decided solutions, drawn as suits the problem."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from diffcomb.figures.coloring import draw_coloring
from diffcomb.figures.gantt import save_gantt_figure
from diffcomb.metrics import relative_gap
from diffcomb.problems import GraphColoring, JobShop, Problem

#: one row an instance: a block, or vectors of different length
Rows = Tensor | Sequence[Tensor]


def save_decision_figure(
    path: Path,
    problem: Problem | Sequence[Problem],
    positions: Sequence[Tensor],
    optimal: Rows,
    decided: dict[str, Rows],
    costs: Rows,
) -> None:
    """One row an instance, one column a method: on a map, or Gantt charts for schedules.

    Args:
        problem: of all instances, or one of each.
        positions: (num_nodes, 2) of each instance.
        optimal, costs: (n,) of each instance.
        decided: method -> (n,) of each instance.
    """
    problems = [problem] * len(positions) if isinstance(problem, Problem) else problem
    _save(problems[0], problems, path, positions, optimal, decided, costs)


@singledispatch
def _save(
    kind: Problem,
    problems: Sequence[Problem],
    path: Path,
    positions: Sequence[Tensor],
    optimal: Rows,
    decided: dict[str, Rows],
    costs: Rows,
) -> None:
    """A panel an instance and method, dispatched on the first problem's type like all of this."""
    count, methods = len(positions), list(decided)
    figure = Figure(figsize=(3.2 * len(methods), 3.4 * count), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(count, len(methods), squeeze=False)
    for i in range(count):
        optimum = float((costs[i] * optimal[i]).sum())
        for axis, method in zip(axes[i], methods, strict=True):
            z = decided[method][i]
            legend = _draw(problems[i], axis, positions[i], optimal[i], z)
            extra = relative_gap(float((costs[i] * z).sum()), optimum, costs[i])
            axis.set_title(f"{method}: {extra:+.1%}", fontsize=9)
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_aspect("equal")
    figure.suptitle(f"{legend}; % above the optimum", fontsize=9)
    figure.savefig(path, dpi=130)


@singledispatch
def _draw(problem: Problem, axis: Axes, positions: Tensor, optimal: Tensor, z: Tensor) -> str:
    """Optimal edges wide and grey, decided ones on top; returns the legend."""
    edge_index = problem.cost_graph().edge_index
    agree = optimal > 0.5
    _draw_edges(axis, positions, edge_index[:, agree], "0.82", 5.0)
    _draw_edges(axis, positions, edge_index[:, (z > 0.5) & agree], "tab:blue", 1.6)
    _draw_edges(axis, positions, edge_index[:, (z > 0.5) & ~agree], "tab:red", 1.6)
    axis.scatter(positions[:, 0], positions[:, 1], s=14, color="black", zorder=3)
    return "grey: optimal, blue: decided and optimal, red: decided only"


@_draw.register
def _(problem: GraphColoring, axis: Axes, positions: Tensor, optimal: Tensor, z: Tensor) -> str:
    differs = problem.colors(z) != problem.colors(optimal)
    x, y = positions[differs].T
    axis.scatter(x, y, s=190, facecolors="none", edgecolors="tab:red", linewidths=2)
    draw_coloring(axis, problem, z, positions.numpy())
    return "circled red: not the optimal colour"


def _draw_edges(axis: Axes, positions: Tensor, edges: Tensor, color: str, width: float) -> None:
    for u, v in edges.T.tolist():
        ends = torch.stack([positions[u], positions[v]]).T
        if u == v:  # an item: mark the node itself
            axis.scatter(
                float(positions[u, 0]),
                float(positions[u, 1]),
                s=30 * width,
                facecolors="none",
                edgecolors=color,
                linewidths=width,
            )
        else:
            axis.plot(*ends, color=color, linewidth=width, solid_capstyle="round")


@_save.register
def _(
    problem: JobShop,
    problems: Sequence[Problem],
    path: Path,
    positions: Sequence[Tensor],
    optimal: Rows,
    decided: dict[str, Rows],
    costs: Rows,
) -> None:
    """The first instance: the best schedule, then what becomes of each plan under the true durations."""
    schedules = {"optimal": (optimal[0], costs[0])}
    for method, plans in decided.items():
        schedules[f"{method}, executed"] = (problem.execute(plans[0], costs[0]), costs[0])
    save_gantt_figure(path, problem, schedules)
