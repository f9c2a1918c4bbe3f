"""Graphs with known chromatic numbers, and brute force, for the colouring tests."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch

from diffcomb.problems import Graph, GraphColoring


def queen_edges(rows: int, columns: int) -> list[tuple[int, int]]:
    """Squares of a board, adjacent when a queen moves from one to the other."""
    squares = [(r, c) for r in range(rows) for c in range(columns)]
    return [
        (a, b)
        for a, b in combinations(range(len(squares)), 2)
        if squares[a][0] == squares[b][0]
        or squares[a][1] == squares[b][1]
        or abs(squares[a][0] - squares[b][0]) == abs(squares[a][1] - squares[b][1])
    ]


def mycielski(steps: int) -> tuple[list[tuple[int, int]], int]:
    """Mycielski's construction (1955) from one edge: no triangle, chromatic number 2 + steps."""
    edges, size = [(0, 1)], 2
    for _ in range(steps):
        shadows = [(u + size, v) for u, v in edges] + [(u, v + size) for u, v in edges]
        edges, size = edges + shadows + [(v + size, 2 * size) for v in range(size)], 2 * size + 1
    return edges, size


def random_graph(num_vertices: int, probability: float, seed: int) -> Graph:
    generator = torch.Generator().manual_seed(seed)
    return GraphColoring.random(num_vertices, probability, generator=generator).graph


def is_colorable(graph: Graph, num_colors: int) -> bool:
    """Plain backtracking, vertex by vertex, at most one new colour each time."""
    colors = np.full(graph.num_vertices, -1)

    def place(v: int, used: int) -> bool:
        if v == graph.num_vertices:
            return True
        taken = set(colors[graph.adjacency[v]].tolist())
        for k in range(min(used + 1, num_colors)):
            if k not in taken:
                colors[v] = k
                if place(v + 1, max(used, k + 1)):
                    return True
                colors[v] = -1
        return False

    return place(0, 0)


def chromatic_number(graph: Graph) -> int:
    return next(k for k in range(1, graph.num_vertices + 1) if is_colorable(graph, k))
