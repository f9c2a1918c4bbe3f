"""Symmetric TSPLIB files -> distance matrix, through tsplib95."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tsplib95

from diffcomb.errors import InvalidInstanceError


@dataclass(frozen=True)
class TsplibInstance:
    """distances (N, N) float64, symmetric; coordinates (N, 2) or None, for pictures.

    fixed_edges: pairs of cities that must be neighbours on the tour.
    """

    name: str
    distances: np.ndarray
    coordinates: np.ndarray | None
    fixed_edges: tuple[tuple[int, int], ...] = ()


def read_tsplib(path: str | Path) -> TsplibInstance:
    """Read a symmetric TSP in any edge-weight type and format that tsplib95 parses.

    Raises:
        InvalidInstanceError: missing, truncated, asymmetric or otherwise unreadable; says why.
    """
    path = Path(path)
    if not path.is_file():
        raise InvalidInstanceError(
            f"No file {path}; `python -m diffcomb.data tsplib` downloads TSPLIB into $DIFFCOMB_DATA."
        )
    try:
        problem = tsplib95.load(str(path))
        nodes = list(problem.get_nodes())
        # si175 carries its author behind the type
        if (problem.type or "").split()[:1] != ["TSP"]:
            raise InvalidInstanceError(
                f"{path.name} has TYPE {problem.type}; only symmetric TSP is supported."
            )
        if problem.dimension != len(nodes):
            raise InvalidInstanceError(
                f"{path.name} declares DIMENSION {problem.dimension} but lists {len(nodes)} cities."
            )
        weight = problem.get_weight
        distances = np.array(
            [[weight(u, v) if u != v else 0 for v in nodes] for u in nodes], dtype=np.float64
        )
        place = {city: k for k, city in enumerate(nodes)}
        fixed = tuple((place[u], place[v]) for u, v in problem.fixed_edges or ())
    except InvalidInstanceError:
        raise
    except Exception as error:  # tsplib95 raises whatever its parser stumbles over
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidInstanceError(f"{path.name} is not a readable TSPLIB file: {detail}.") from None
    positions = problem.node_coords or problem.display_data
    coordinates = None
    if positions and all(v in positions for v in nodes):
        coordinates = np.array([positions[v][:2] for v in nodes], dtype=np.float64)
    return TsplibInstance(problem.name or path.stem, distances, coordinates, fixed)
