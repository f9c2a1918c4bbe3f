"""A picture of a relaxed tour and of the gradient that flows through it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from torch import Tensor

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems import TravelingSalesman


def save_tour_figure(
    path: Path, problem: TravelingSalesman, x: Tensor, gradient: Tensor | None = None, *, title: str = ""
) -> None:
    """Edges shaded by x (black 1, white 0), and beside it edges coloured by their gradient.

    Args:
        x: (n,) a tour or a point of the relaxation; edges below 1e-6 are left out.
        gradient: (n,) d loss / d theta or any other number per edge: red raises the loss with the
            cost, blue lowers it, width by magnitude; edges below 1 % of the largest are left out.

    Raises:
        InvalidInstanceError: the problem has no coordinates.
    """
    if problem.coordinates is None:
        raise InvalidInstanceError("A picture needs coordinates; build the problem with from_coordinates.")
    positions = torch.as_tensor(problem.coordinates).detach().cpu().numpy()
    panels = 1 if gradient is None else 2
    figure = Figure(figsize=(4.4 * panels, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    segments = np.stack([positions[problem.tails], positions[problem.heads]], axis=1)

    weight = x.detach().cpu().numpy()
    used = weight > 1e-6
    shades = np.repeat(1.0 - weight[used, None].clip(0, 1), 3, axis=1) * 0.9
    axes[0].add_collection(LineCollection(list(segments[used]), colors=shades, linewidths=1 + weight[used]))
    fractional = int((used & (weight < 1 - 1e-6)).sum())
    axes[0].set_title(f"{title} {int(used.sum())} edges, {fractional} fractional".strip(), fontsize=9)

    if gradient is not None:
        slope = gradient.detach().cpu().numpy()
        largest = np.abs(slope).max(initial=0.0)
        shown = np.abs(slope) > 0.01 * largest if largest > 0 else np.zeros(len(slope), dtype=bool)
        colors = ["tab:red" if s > 0 else "tab:blue" for s in slope[shown]]
        widths = 0.5 + 3 * np.abs(slope[shown]) / (largest or 1.0)
        axes[1].add_collection(LineCollection(list(segments[shown]), colors=colors, linewidths=widths))
        axes[1].set_title(f"gradient, largest {largest:.2g}", fontsize=9)
    for axis in axes:
        axis.scatter(*positions.T, s=10, color="black", zorder=3)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_aspect("equal")
    figure.savefig(path, dpi=130)
