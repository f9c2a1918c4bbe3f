"""Heaviest stable sets, exactly, for pricing colour classes."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.coloring.graph import lowest_bit, pack_bits

_ONE = np.uint64(1)


def heaviest_stable_set(
    adjacency: np.ndarray, weights: np.ndarray, node_limit: int, enough: int
) -> tuple[np.ndarray, int, bool]:
    """max sum of weights[v] over stable sets, by branch and bound with a clique-cover bound.

    Args:
        adjacency: (N, N) bool.
        weights: (N,) int64, not negative: integers, so that the answer is exact.
        node_limit: gives up beyond it.
        enough: stops at the first set heavier than this.

    Returns:
        members, their weight, and whether no stable set is heavier.
    """
    positive = np.flatnonzero(weights > 0)
    order = positive[np.argsort(-weights[positive], kind="stable")]
    if len(order) == 0:
        return order, 0, True
    complement = ~adjacency[np.ix_(order, order)]
    np.fill_diagonal(complement, False)
    chosen, weight, proven = _heaviest_clique(
        pack_bits(complement), weights[order].astype(np.int64), node_limit, enough
    )
    return order[chosen], int(weight), bool(proven)


@compiled
def _bound_order(
    bits: np.ndarray, weights: np.ndarray, inside: np.ndarray, order: np.ndarray, bound: np.ndarray
) -> int:
    """Partition `inside` into independent sets; bound[i] = sum of the heaviest of each up to order[i]'s.

    Vertices are numbered by falling weight, so the first of a set is its heaviest.
    """
    words = bits.shape[1]
    left = inside.copy()
    free = np.empty(words, dtype=np.uint64)
    count, total = 0, 0
    while True:
        nonempty = False
        for i in range(words):
            free[i] = left[i]
            nonempty = nonempty or left[i] != 0
        if not nonempty:
            return count
        first = True
        for w in range(words):
            while free[w]:
                v = w * 64 + lowest_bit(free[w])
                bit = _ONE << np.uint64(v - w * 64)
                left[w] &= ~bit
                free[w] &= ~bit
                for i in range(w, words):
                    free[i] &= ~bits[v, i]
                if first:
                    total += weights[v]
                    first = False
                order[count], bound[count] = v, total
                count += 1


@compiled
def _heaviest_clique(
    bits: np.ndarray, weights: np.ndarray, node_limit: int, enough: int
) -> tuple[np.ndarray, int, bool]:
    num, words = bits.shape
    inside = np.zeros((num + 1, words), dtype=np.uint64)
    order = np.zeros((num + 1, num), dtype=np.int32)
    bound = np.zeros((num + 1, num), dtype=np.int64)
    left = np.zeros(num + 1, dtype=np.int64)
    weight = np.zeros(num + 1, dtype=np.int64)
    current = np.zeros(num, dtype=np.int64)
    best = np.zeros(num, dtype=np.int64)
    best_size, best_weight = 0, 0
    for v in range(num):
        inside[0, v // 64] |= _ONE << np.uint64(v % 64)
    left[0] = _bound_order(bits, weights, inside[0], order[0], bound[0])
    depth, nodes = 0, 0
    while depth >= 0:
        i = left[depth] - 1
        if i < 0 or weight[depth] + bound[depth, i] <= best_weight:
            depth -= 1
            continue
        nodes += 1
        if nodes > node_limit:
            return best[:best_size].copy(), best_weight, False
        left[depth] = i
        v = order[depth, i]
        current[depth] = v
        inside[depth, v // 64] &= ~(_ONE << np.uint64(v % 64))
        weight[depth + 1] = weight[depth] + weights[v]
        if weight[depth + 1] > best_weight:
            best_weight, best_size = weight[depth + 1], depth + 1
            best[:best_size] = current[:best_size]
            if best_weight > enough:
                return best[:best_size].copy(), best_weight, False
        for w in range(words):
            inside[depth + 1, w] = inside[depth, w] & bits[v, w]
        depth += 1
        left[depth] = _bound_order(bits, weights, inside[depth], order[depth], bound[depth])
    return best[:best_size].copy(), best_weight, True
