"""From soft colours to proper colourings."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import SolveFailedError
from diffcomb.problems import GraphColoring
from diffcomb.problems.coloring.fewest.tabucol import TabuCol


def confident_colorings(
    problem: GraphColoring, theta: Tensor, *, seconds: float = 0.5, seed: int = 0
) -> Tensor:
    """Costs (batch, N K) -> proper colourings z (batch, N K).

    The vertex that is surest of its colour (largest softmax of its costs) goes first and takes the
    cheapest colour its neighbours left. Where none is left TabuCol repairs the conflicts.

    Args:
        seconds: effort of a repair, in nominal seconds.

    Raises:
        SolveFailedError: the repair did not find a proper colouring.
    """
    tables = theta.detach().cpu().double().reshape(-1, problem.num_vertices, problem.num_colors)
    rows = [problem.decision_of(_coloring(problem, table, seconds, seed)) for table in tables]
    return torch.from_numpy(np.stack(rows)).to(theta.device)


def _coloring(problem: GraphColoring, table: Tensor, seconds: float, seed: int) -> np.ndarray:
    confidence = torch.softmax(-table / table.abs().mean().clamp_min(1e-12), -1).amax(-1)
    preferred = table.argsort(dim=-1, stable=True).numpy()
    colors = np.full(problem.num_vertices, -1)
    for v in confidence.argsort(dim=-1, descending=True, stable=True).tolist():
        taken = colors[problem.graph.adjacency[v]]
        free = preferred[v][~np.isin(preferred[v], taken)]
        colors[v] = free[0] if len(free) else preferred[v][0]
    if len(problem.graph.conflicts(colors)):
        colors, conflicts = TabuCol(problem.graph, problem.num_colors, seed).run(colors, seconds, None)
        if conflicts:
            raise SolveFailedError(
                f"The soft colours could not be repaired with {problem.num_colors} colours; give the"
                " problem more colours."
            )
    return colors
