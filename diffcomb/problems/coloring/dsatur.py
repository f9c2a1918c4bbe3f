"""DSATUR: colour next the vertex that sees most colours (Brelaz 1979)."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.coloring.graph import Graph


def dsatur(graph: Graph, repeats: int = 20, seed: int = 0) -> np.ndarray:
    """A proper colouring (N,) with colours 0..k-1, the one of fewest colours among `repeats` runs.

    The first run breaks ties by degree among the uncoloured vertices, then by number; the others at
    random. Same seed, same colouring.
    """
    if graph.num_vertices == 0:
        return np.zeros(0, dtype=np.int64)
    return np.asarray(_dsatur(graph.adjacency, repeats, seed))


@compiled
def _dsatur(adjacency: np.ndarray, repeats: int, seed: int) -> np.ndarray:
    num = adjacency.shape[0]
    np.random.seed(seed)  # noqa: NPY002 - numba's own generator, local to compiled code
    degree = np.zeros(num, dtype=np.int64)
    for v in range(num):
        degree[v] = adjacency[v].sum()
    best = np.zeros(num, dtype=np.int64)
    best_count = num + 1
    colors = np.zeros(num, dtype=np.int64)
    noise = np.zeros(num)
    for run in range(repeats):
        seen = np.zeros((num, degree.max() + 1), dtype=np.bool_)
        saturation = np.zeros(num, dtype=np.int64)
        uncolored = degree.copy()
        colors[:] = -1
        if run > 0:
            noise[:] = np.random.random(num)  # noqa: NPY002
        count = 0
        for _ in range(num):
            u = -1
            for v in range(num):
                if colors[v] >= 0:
                    continue
                if (
                    u < 0
                    or saturation[v] > saturation[u]
                    or (
                        saturation[v] == saturation[u]
                        and (
                            uncolored[v] > uncolored[u]
                            or (uncolored[v] == uncolored[u] and noise[v] > noise[u])
                        )
                    )
                ):
                    u = v
            k = 0
            while seen[u, k]:
                k += 1
            colors[u] = k
            count = max(count, k + 1)
            if count >= best_count:
                break
            for v in range(num):
                if adjacency[u, v]:
                    uncolored[v] -= 1
                    if not seen[v, k]:
                        seen[v, k] = True
                        saturation[v] += 1
        if count < best_count:
            best_count = count
            best[:] = colors
    return best
