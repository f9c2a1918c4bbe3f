"""What fixed edges imply for the others."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.edges import Edges
from diffcomb.problems.tours.one_trees.one_tree import FORBIDDEN, FREE, REQUIRED


@compiled
def propagate(edges: Edges, state: np.ndarray) -> bool:
    """Degree and subtour consequences of the fixed edges; False when no tour is left.

    Two required edges at a city forbid its others; two edges left at a city are required; the edge
    that would close a required path before it has all cities is forbidden.
    """
    start, near_city, near_edge = edges.start, edges.near_city, edges.near_edge
    n = len(start) - 1
    changed = True
    while changed:
        changed = False
        for v in range(n):
            required, allowed = 0, 0
            for k in range(start[v], start[v + 1]):
                required += state[near_edge[k]] == REQUIRED
                allowed += state[near_edge[k]] != FORBIDDEN
            if required > 2 or allowed < 2:
                return False
            if allowed > required and (required == 2 or allowed == 2):
                value = FORBIDDEN if required == 2 else REQUIRED
                for k in range(start[v], start[v + 1]):
                    if state[near_edge[k]] == FREE:
                        state[near_edge[k]] = value
                changed = True
        if changed:
            continue
        seen = np.zeros(n, dtype=np.bool_)
        for first in range(n):
            required = 0
            for k in range(start[first], start[first + 1]):
                required += state[near_edge[k]] == REQUIRED
            if seen[first] or required != 1:
                continue
            # walk the required path from its end `first`
            previous, current, length = -1, first, 1
            seen[first] = True
            while True:
                following = -1
                for k in range(start[current], start[current + 1]):
                    if state[near_edge[k]] == REQUIRED and near_edge[k] != previous:
                        following = k
                if following < 0:
                    break
                previous, current = near_edge[following], near_city[following]
                seen[current] = True
                length += 1
            if length < n:
                for k in range(start[first], start[first + 1]):
                    if near_city[k] == current and state[near_edge[k]] == FREE:
                        state[near_edge[k]] = FORBIDDEN
                        changed = True
        if not changed:
            # what is left with two required edges everywhere unseen is a closed cycle
            for v in range(n):
                required = 0
                for k in range(start[v], start[v + 1]):
                    required += state[near_edge[k]] == REQUIRED
                if seen[v] or required != 2:
                    continue
                previous, current, length = -1, v, 0
                while not seen[current]:
                    seen[current] = True
                    length += 1
                    for k in range(start[current], start[current + 1]):
                        if state[near_edge[k]] == REQUIRED and near_edge[k] != previous:
                            previous, current = near_edge[k], near_city[k]
                            break
                if length < n:
                    return False
    return True
