"""Pictures of colourings: decisions as coloured vertices, relaxed decisions as pies, conflicts in red."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Wedge
from torch import Tensor

from diffcomb.problems import GraphColoring


def save_coloring_figure(
    path: Path | str,
    problem: GraphColoring,
    decisions: dict[str, Tensor],
    *,
    positions: np.ndarray | None = None,
) -> None:
    """One panel a decision, side by side, with the number of conflicting edges in its title.

    A vertex is a pie of its row x[v, :]: one plain disc where the decision is 0-1, slices where it is
    fractional. An edge is red and wide where its two ends share a colour, fading with
    sum_k min(x[u, k], x[v, k]): a proper colouring has no red, a relaxed one shows where it hedges.

    Args:
        path: where to write, the suffix chooses the format.
        decisions: title -> (n,) decision, exact or relaxed.
        positions: (N, 2); None lays the graph out with `spring_layout`.
    """
    if positions is None:
        positions = spring_layout(problem.num_vertices, problem.edges)
    figure = Figure(figsize=(4.2 * len(decisions), 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(decisions), squeeze=False)[0]
    for axis, (title, decision) in zip(panels, decisions.items(), strict=True):
        shares = draw_coloring(axis, problem, decision, positions)
        conflicts = (
            len(problem.conflicts(decision)) if bool(((shares < 1e-6) | (shares > 1 - 1e-6)).all()) else None
        )
        note = "relaxed" if conflicts is None else f"{conflicts} conflicts"
        axis.set_title(f"{title}: {note}", fontsize=9)
        axis.set_axis_off()
        axis.set_aspect("equal")
        axis.autoscale_view()
    figure.savefig(path, dpi=130)


def draw_coloring(axis: Axes, problem: GraphColoring, decision: Tensor, positions: np.ndarray) -> np.ndarray:
    """Edges and pies of one decision (n,), as `save_coloring_figure` says -> its shares (N, K)."""
    palette = matplotlib.colormaps["tab10" if problem.num_colors <= 10 else "turbo"]
    span = 10 if problem.num_colors <= 10 else max(problem.num_colors - 1, 1)
    colors = [palette((k + 0.5 if span == 10 else k) / span) for k in range(problem.num_colors)]
    shares = decision.detach().cpu().double().numpy().reshape(problem.num_vertices, problem.num_colors)
    _draw_edges(axis, positions, problem.edges, shares)
    _draw_vertices(axis, positions, shares, colors)
    return shares


def spring_layout(num_vertices: int, edges: np.ndarray, rounds: int = 150) -> np.ndarray:
    """(N, 2) positions by springs on edges and repulsion between all (Fruchterman & Reingold 1991).

    Deterministic: starts on a circle. O(rounds N^2).
    """
    angle = 2 * np.pi * np.arange(num_vertices) / num_vertices
    # unequal radii break the symmetry of the circle
    at = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (1 + 0.1 * np.sin(7.3 * angle))[:, None]
    ideal = 2.0 / np.sqrt(num_vertices)
    for step in np.linspace(0.2, 0.005, rounds):
        apart = at[:, None] - at[None]
        distance = np.maximum(np.linalg.norm(apart, axis=-1), 1e-3)
        force = (apart * (ideal / distance)[..., None] ** 2).sum(1)
        along = at[edges[:, 0]] - at[edges[:, 1]]
        pull = along * (np.linalg.norm(along, axis=1) / ideal)[:, None]
        np.add.at(force, edges[:, 0], -pull)
        np.add.at(force, edges[:, 1], pull)
        length = np.maximum(np.linalg.norm(force, axis=1, keepdims=True), 1e-9)
        at = at + force / length * np.minimum(length, step)
    return np.asarray(at)


def _draw_edges(axis: Axes, positions: np.ndarray, edges: np.ndarray, shares: np.ndarray) -> None:
    shared = np.minimum(shares[edges[:, 0]], shares[edges[:, 1]]).sum(1)
    axis.add_collection(LineCollection(positions[edges], colors="0.75", linewidths=0.6, zorder=1))
    # a share of a conflict fades quickly, so that real ones stand out
    red = [(1.0, 0.0, 0.0, share) for share in np.clip(shared, 0.0, 1.0) ** 2]
    axis.add_collection(LineCollection(positions[edges], colors=red, linewidths=2.5 * shared, zorder=2))


def _draw_vertices(axis: Axes, positions: np.ndarray, shares: np.ndarray, colors: list) -> None:
    extent = float(np.ptp(positions, axis=0).max()) or 1.0
    radius = 0.32 * extent / max(len(positions), 4) ** 0.5 * 0.6
    wedges, faces = [], []
    for place, row in zip(positions, shares, strict=True):
        start = 90.0
        for k in np.flatnonzero(row > 1e-6):
            wedges.append(Wedge(place, radius, start, start + 360.0 * row[k]))
            faces.append(colors[k])
            start += 360.0 * row[k]
    axis.add_collection(
        PatchCollection(wedges, facecolors=faces, edgecolors="black", linewidths=0.4, zorder=3)
    )
