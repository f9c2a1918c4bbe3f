"""A Gantt chart with the critical path and the gradient of every operation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from diffcomb.problems import JobShop


def save_gantt_figure(
    path: Path,
    problem: JobShop,
    schedules: dict[str, tuple[Tensor, Tensor]],
    gradients: dict[str, Tensor] | None = None,
) -> None:
    """One panel a schedule: machines down, time across, a colour a job, critical operations framed.

    Args:
        path: of the picture; its ending says the format.
        schedules: name -> (starts (n,), durations (n,)).
        gradients: name -> (n,), written into the bars; by default the gradient of the optimal value,
            which is 1 on the critical path of a makespan.
    """
    figure = Figure(figsize=(11, (0.9 + 0.42 * problem.num_machines) * len(schedules)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(schedules), 1, squeeze=False, sharex=True)[:, 0]
    for axis, (name, (starts, durations)) in zip(axes, schedules.items(), strict=True):
        critical = problem.value_gradient(starts, durations)
        gradient = (gradients or {}).get(name, critical)
        _draw_schedule(axis, problem, starts, durations, critical, gradient)
        value = float(problem.objective(starts, durations))
        axis.set_title(f"{name}: {problem.criterion.replace('_', ' + ')} {value:.4g}", fontsize=10)
    axes[-1].set_xlabel("time; framed: on the critical path (gradient of the value not 0); numbers: gradient")
    figure.savefig(path, dpi=130)


def _draw_schedule(
    axis: Any, problem: JobShop, starts: Tensor, durations: Tensor, critical: Tensor, gradient: Tensor
) -> None:
    colors = matplotlib.colormaps["tab20"]
    span = float((starts + durations).max())
    for i in range(problem.num_costs):
        start, length, g = float(starts[i]), float(durations[i]), float(gradient[i])
        on_path = bool(critical[i].abs() > 1e-12)
        axis.barh(
            int(problem.machine[i]),
            length,
            left=start,
            height=0.8,
            color=colors(int(problem.job[i]) % 20),
            alpha=0.9 if on_path else 0.45,
            edgecolor="black" if on_path else "white",
            linewidth=1.8 if on_path else 0.5,
        )
        if length > 0.025 * span and problem.num_costs <= 150:
            axis.text(
                start + length / 2, int(problem.machine[i]), f"{g:.2g}", ha="center", va="center", fontsize=7
            )
    if problem.criterion in ("tardiness", "earliness_tardiness"):
        for j, due in enumerate(torch.from_numpy(problem.due_dates).tolist()):
            axis.axvline(due, color=colors(j % 20), linestyle=":", linewidth=1)
    axis.set_yticks(range(problem.num_machines), [f"machine {m}" for m in range(problem.num_machines)])
    axis.invert_yaxis()
    axis.tick_params(labelsize=8)
