"""Cliques: a large one, a cover of all edges by maximal ones, and the list of all maximal ones."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from diffcomb.compiled import compiled
from diffcomb.problems.coloring.graph import Graph, lowest_bit, popcount

_ONE = np.uint64(1)


def largest_clique(graph: Graph, node_limit: int = 20_000) -> tuple[np.ndarray, bool]:
    """A large clique, and whether it is proven to be a largest one.

    Greedy from the 50 vertices of highest degree, then branch and bound with a colouring bound on
    bit rows (San Segundo et al. 2011, "An exact bit-parallel algorithm for the maximum clique
    problem").

    Args:
        node_limit: of the branch and bound. Small: quick, the clique of the greedy search; large:
            proves the clique number where the graph is sparse, small or very structured.
    """
    if graph.num_vertices == 0:
        return np.zeros(0, dtype=np.int64), True
    # branch and bound wants vertices of low degree last to branch first: a degeneracy order
    order = _degeneracy_order(graph.adjacency)
    bits = graph.induced(order).bits
    members, size, proven = _maximum_clique(bits, node_limit)
    return np.sort(order[members[:size]]), bool(proven)


def clique_cover(graph: Graph) -> sparse.csr_array:
    """Maximal cliques that cover every edge, one a row, (cliques, N) 0-1; largest first.

    Each next clique starts at an uncovered edge and takes the vertex that covers most new edges.
    """
    starts, members = _clique_cover(graph.bits, graph.edges)
    return _as_matrix(starts, members, graph.num_vertices)


def maximal_cliques(graph: Graph, limit: int, min_size: int = 2) -> sparse.csr_array | None:
    """All maximal cliques of `min_size` or more vertices, one a row; None if there are more than `limit`.

    Bron & Kerbosch (1973) with the pivot of Tomita et al. (2006) on bit rows.
    """
    starts, members, complete = _maximal_cliques(graph.bits, limit, min_size)
    return _as_matrix(starts, members, graph.num_vertices) if complete else None


def _as_matrix(starts: np.ndarray, members: np.ndarray, num_vertices: int) -> sparse.csr_array:
    data = np.ones(len(members))
    matrix = sparse.csr_array((data, members, starts), shape=(len(starts) - 1, num_vertices))
    return sparse.csr_array(matrix[np.argsort(-np.diff(starts), kind="stable")])


def _degeneracy_order(adjacency: np.ndarray) -> np.ndarray:
    """Vertices so that each has few neighbours before it: smallest remaining degree last."""
    remaining = adjacency.sum(1).astype(np.int64)
    order = np.empty(len(remaining), dtype=np.int64)
    removed = np.iinfo(np.int64).max // 2
    for position in range(len(remaining) - 1, -1, -1):
        vertex = int(remaining.argmin())
        order[position] = vertex
        remaining[adjacency[vertex]] -= 1
        remaining[vertex] = removed
    return order


@compiled
def _grow(bits: np.ndarray, candidates: np.ndarray, clique: np.ndarray, size: int) -> int:
    """Extend `clique` to a maximal one, always by the candidate with most candidates as neighbours."""
    words = bits.shape[1]
    while True:
        best, best_count = -1, -1
        for w in range(words):
            rest = candidates[w]
            while rest:
                v = w * 64 + lowest_bit(rest)
                rest &= rest - _ONE
                count = 0
                for i in range(words):
                    count += popcount(candidates[i] & bits[v, i])
                if count > best_count:
                    best, best_count = v, count
        if best < 0:
            return size
        clique[size] = best
        size += 1
        for i in range(words):
            candidates[i] &= bits[best, i]


@compiled
def _color_order(bits: np.ndarray, inside: np.ndarray, order: np.ndarray, color: np.ndarray) -> int:
    """Greedy colouring of the vertices `inside`: order[i] has colour number color[i], ascending."""
    words = bits.shape[1]
    uncolored = inside.copy()
    free = np.empty(words, dtype=np.uint64)
    count, k = 0, 0
    while True:
        left = False
        for i in range(words):
            free[i] = uncolored[i]
            left = left or uncolored[i] != 0
        if not left:
            return count
        k += 1
        for w in range(words):
            while free[w]:
                v = w * 64 + lowest_bit(free[w])
                bit = _ONE << np.uint64(v - w * 64)
                uncolored[w] &= ~bit
                free[w] &= ~bit
                for i in range(w, words):
                    free[i] &= ~bits[v, i]
                order[count], color[count] = v, k
                count += 1


@compiled
def _maximum_clique(bits: np.ndarray, node_limit: int) -> tuple[np.ndarray, int, bool]:
    num, words = bits.shape
    best = np.zeros(num, dtype=np.int64)
    best_size = 0
    current = np.zeros(num, dtype=np.int64)
    for start in range(min(num, 50)):
        candidates = bits[start].copy()
        current[0] = start
        size = _grow(bits, candidates, current, 1)
        if size > best_size:
            best_size = size
            best[:size] = current[:size]
    depth_limit = num + 1
    inside = np.zeros((depth_limit, words), dtype=np.uint64)
    order = np.zeros((depth_limit, num), dtype=np.int32)
    color = np.zeros((depth_limit, num), dtype=np.int32)
    left = np.zeros(depth_limit, dtype=np.int64)
    for v in range(num):
        inside[0, v // 64] |= _ONE << np.uint64(v % 64)
    left[0] = _color_order(bits, inside[0], order[0], color[0])
    depth, nodes = 0, 0
    while depth >= 0:
        i = left[depth] - 1
        if i < 0 or depth + color[depth, i] <= best_size:
            depth -= 1
            continue
        nodes += 1
        if nodes > node_limit:
            return best, best_size, False
        left[depth] = i
        v = order[depth, i]
        current[depth] = v
        inside[depth, v // 64] &= ~(_ONE << np.uint64(v % 64))
        empty = True
        for w in range(words):
            inside[depth + 1, w] = inside[depth, w] & bits[v, w]
            empty = empty and inside[depth + 1, w] == 0
        if empty:
            if depth + 1 > best_size:
                best_size = depth + 1
                best[:best_size] = current[:best_size]
            continue
        depth += 1
        left[depth] = _color_order(bits, inside[depth], order[depth], color[depth])
    return best, best_size, True


@compiled
def _clique_cover(bits: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    num, words = bits.shape
    uncovered = bits.copy()
    starts = [np.int64(0)]
    members = [np.int64(0) for _ in range(0)]
    clique = np.zeros(num, dtype=np.int64)
    gain = np.zeros(num, dtype=np.int64)
    candidates = np.zeros(words, dtype=np.uint64)
    for e in range(len(edges)):
        u, v = edges[e, 0], edges[e, 1]
        if not (uncovered[u, v // 64] >> np.uint64(v % 64)) & _ONE:
            continue
        for w in range(words):
            candidates[w] = bits[u, w] & bits[v, w]
        clique[0], clique[1] = u, v
        size = 2
        gain[:] = 0
        for w in range(words):
            rest = candidates[w]
            while rest:
                x = w * 64 + lowest_bit(rest)
                rest &= rest - _ONE
                for y in (u, v):
                    gain[x] += np.int64((uncovered[x, y // 64] >> np.uint64(y % 64)) & _ONE)
        while True:
            # most newly covered edges; ties to the vertex that leaves most candidates
            best, best_gain, best_left = -1, -1, -1
            for w in range(words):
                rest = candidates[w]
                while rest:
                    x = w * 64 + lowest_bit(rest)
                    rest &= rest - _ONE
                    if gain[x] < best_gain:
                        continue
                    remain = 0
                    for i in range(words):
                        remain += popcount(candidates[i] & bits[x, i])
                    if gain[x] > best_gain or remain > best_left:
                        best, best_gain, best_left = x, gain[x], remain
            if best < 0:
                break
            clique[size] = best
            size += 1
            for w in range(words):
                candidates[w] &= bits[best, w]
                rest = candidates[w]
                while rest:
                    x = w * 64 + lowest_bit(rest)
                    rest &= rest - _ONE
                    gain[x] += np.int64((uncovered[x, best // 64] >> np.uint64(best % 64)) & _ONE)
        for i in range(size):
            members.append(clique[i])
            for j in range(size):
                a, b = clique[i], clique[j]
                uncovered[a, b // 64] &= ~(_ONE << np.uint64(b % 64))
        starts.append(np.int64(len(members)))
    return np.array(starts), _array(members)


@compiled
def _array(values: list[np.int64]) -> np.ndarray:
    out = np.zeros(len(values), dtype=np.int64)
    for i in range(len(values)):
        out[i] = values[i]
    return out


@compiled
def _pivot_branches(bits: np.ndarray, candidates: np.ndarray, done: np.ndarray, branches: np.ndarray) -> None:
    """branches = candidates outside the neighbourhood of the vertex with most candidate neighbours."""
    words = bits.shape[1]
    best, best_count = -1, -1
    for w in range(words):
        rest = candidates[w] | done[w]
        while rest:
            v = w * 64 + lowest_bit(rest)
            rest &= rest - _ONE
            count = 0
            for i in range(words):
                count += popcount(candidates[i] & bits[v, i])
            if count > best_count:
                best, best_count = v, count
    for w in range(words):
        branches[w] = candidates[w] & ~bits[best, w]


@compiled
def _maximal_cliques(bits: np.ndarray, limit: int, min_size: int) -> tuple[np.ndarray, np.ndarray, bool]:
    num, words = bits.shape
    starts = [np.int64(0)]
    members = [np.int64(0) for _ in range(0)]
    candidates = np.zeros((num + 1, words), dtype=np.uint64)
    done = np.zeros((num + 1, words), dtype=np.uint64)
    branches = np.zeros((num + 1, words), dtype=np.uint64)
    current = np.zeros(num, dtype=np.int64)
    for v in range(num):
        candidates[0, v // 64] |= _ONE << np.uint64(v % 64)
    _pivot_branches(bits, candidates[0], done[0], branches[0])
    depth = 0
    while depth >= 0:
        v = -1
        for w in range(words):
            if branches[depth, w]:
                v = w * 64 + lowest_bit(branches[depth, w])
                break
        if v < 0:
            depth -= 1
            continue
        bit = _ONE << np.uint64(v % 64)
        branches[depth, v // 64] &= ~bit
        candidates[depth, v // 64] &= ~bit
        current[depth] = v
        maximal, reachable = True, 0
        for w in range(words):
            candidates[depth + 1, w] = candidates[depth, w] & bits[v, w]
            done[depth + 1, w] = done[depth, w] & bits[v, w]
            reachable += popcount(candidates[depth + 1, w])
            maximal = maximal and done[depth + 1, w] == 0
        done[depth, v // 64] |= bit
        if depth + 1 + reachable < min_size:
            continue
        if reachable:
            _pivot_branches(bits, candidates[depth + 1], done[depth + 1], branches[depth + 1])
            depth += 1
        elif maximal:
            if len(starts) > limit:
                return np.array(starts), _array(members), False
            for i in range(depth + 1):
                members.append(current[i])  # noqa: PERF401 - numba lists
            starts.append(np.int64(len(members)))
    return np.array(starts), _array(members), True
