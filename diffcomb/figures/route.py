"""A map of a road network with the routes that several methods take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from diffcomb.traffic import RoadNetwork

_STYLES = [("black", 5.0), ("tab:orange", 3.2), ("tab:blue", 1.8), ("tab:green", 1.2)]


def save_route_figure(
    path: Path, roads: RoadNetwork, routes: dict[str, np.ndarray], delay: np.ndarray, *, title: str = ""
) -> None:
    """All links, redder with `delay`; over them every route, the first widest.

    Args:
        routes: label -> (links,) how often a link is used; 0 is not.
        delay: (links,) travel time / free-flow time.
    """
    positions = layout(roads)
    segments = np.stack([positions[roads.tails], positions[roads.heads]], axis=1)
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    slow = np.clip((delay - 1) / 1.5, 0, 1)
    order = np.argsort(slow)
    shades = np.stack([0.80 + 0.15 * slow, 0.80 - 0.5 * slow, 0.80 - 0.5 * slow], axis=1)
    axis.add_collection(LineCollection(list(segments[order]), colors=shades[order], linewidths=1.2))
    for (label, used), (color, width) in zip(routes.items(), _STYLES, strict=False):
        chosen = list(segments[used > 0])
        lines = LineCollection(chosen, colors=color, linewidths=width, capstyle="round", label=label)
        axis.add_collection(lines)
    axis.autoscale()
    axis.set_aspect("equal" if roads.coordinates is None else 1 / np.cos(_latitude(positions)))
    axis.set_xticks([])
    axis.set_yticks([])
    axis.legend(fontsize=8, loc="best")
    axis.set_title(title or f"{roads.name}: links redder with delay", fontsize=9)
    figure.savefig(path, dpi=130)


def layout(roads: RoadNetwork) -> np.ndarray:
    """(nodes, 2): the network's coordinates, else classical scaling of free-flow times (Torgerson 1952)."""
    if roads.coordinates is not None:
        return roads.coordinates
    apart = roads.trees(np.arange(roads.num_nodes), roads.free_flow_time)[0]
    apart = np.minimum(apart, apart.T)
    apart[~np.isfinite(apart)] = apart[np.isfinite(apart)].max()
    squared = apart**2
    centred = squared - squared.mean(0) - squared.mean(1)[:, None] + squared.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    placed: np.ndarray = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0))
    return placed


def _latitude(positions: np.ndarray) -> float:
    """Radians if the coordinates look like degrees of longitude and latitude, else 0: a plane."""
    mean = float(positions[:, 1].mean())
    degrees = np.abs(positions[:, 0]).max() <= 180 and np.ptp(positions[:, 1]) < 5 and abs(mean) > 10
    return float(np.radians(mean)) if degrees else 0.0
