"""Is a point in the convex hull of closed walks plus everything above it, and if not, by which facet?

The walks' polyhedron is of blocking type: P = {x : a'x >= 1 for all a in A},
A = {a >= 0 : a'w >= 1 for every walk w}, and the vertices of A are its facets (Fulkerson 1971). The most
violated one solves

    min a'x, a in A    =    max 1'lambda,  sum_w lambda_w w <= x,  lambda >= 0,

here by a revised primal simplex over the right-hand program. Its columns come from cheapest closed walks,
priced halfway between the simplex's prices and the best point of A seen (Wentges 1997).
"""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.cuts.closed_walks import NO_EDGE, cheapest_walk, walk_through
from diffcomb.problems.tours.heuristics.xorshift import FIRST, next_word

_EPS = 1e-9
#: of the right-hand side: keeps bases apart, so that pivots make progress
_PERTURBATION = 1e-6
#: walks that cost this much more than 1 at the asked prices are not looked at
_NEARLY = 0.2
_MAX_WALKS, _MAX_PIVOTS = 2000, 1500


@compiled
def most_violated(
    num_nodes: int, ends: np.ndarray, x: np.ndarray, enough: float, table: np.ndarray, price: np.ndarray
) -> float:
    """min a'x over A, the minimiser in `price` (a vertex of A); `enough` when it is not below.

    Args:
        ends: (m, 2) edges of a connected graph; x: (m,) positive. enough: stop as soon as the optimum
            is known to be at least this. table: scratch of `cheapest_walk`. price: (m,) out.
    """
    m = len(x)
    inverse = np.eye(m)
    level = np.empty(m)
    state = np.uint64(FIRST)
    for e in range(m):
        state = next_word(state)
        level[e] = x[e] + _PERTURBATION * (0.5 + float(state % np.uint64(1000)) / 1000.0)
    basic = np.arange(m)  # below m: slack of an edge, m + k: walk k
    walks = np.zeros((_MAX_WALKS, m))
    num_walks = 0
    # a walk has K edges at least
    center, best_bound = np.full(m, 1.0 / num_nodes), x.sum() / num_nodes
    asked = np.empty(m)
    weight = np.full((num_nodes, num_nodes), NO_EDGE)
    distance = np.empty((num_nodes, num_nodes))
    middle = np.empty((num_nodes, num_nodes), dtype=np.int64)
    uses = np.empty((num_nodes, num_nodes), dtype=np.int64)
    for _ in range(_MAX_PIVOTS):
        price[:m] = 0.0
        for r in range(m):
            if basic[r] >= m:
                for e in range(m):
                    price[e] += inverse[r, e]
        # enter a slack with a negative price, or the walk with the most to gain
        entering, gain = -1, _EPS
        for e in range(m):
            if -price[e] > gain:
                entering, gain = e, -price[e]
        if entering < 0:
            for k in range(num_walks):
                cost = 0.0
                for e in range(m):
                    cost += price[e] * walks[k, e]
                if 1.0 - cost > gain:
                    entering, gain = m + k, 1.0 - cost
        mix = 0.5
        while entering < 0:
            for e in range(m):
                asked[e] = max(mix * center[e] + (1.0 - mix) * price[e], 0.0)
                weight[ends[e, 0], ends[e, 1]] = weight[ends[e, 1], ends[e, 0]] = asked[e]
            cheapest = cheapest_walk(weight, distance, middle, table)
            bound = 0.0
            for e in range(m):
                bound += asked[e] * x[e]
            if bound < best_bound * cheapest:
                best_bound = bound / cheapest
                for e in range(m):
                    center[e] = asked[e] / cheapest
            first = num_walks
            for last in range(num_nodes - 1):
                if num_walks == _MAX_WALKS:
                    break
                if walk_through(last, distance, middle, table, uses) > 1.0 + _NEARLY:
                    continue
                cost = 0.0
                for e in range(m):
                    walks[num_walks, e] = uses[ends[e, 0], ends[e, 1]]
                    cost += price[e] * walks[num_walks, e]
                if 1.0 - cost <= _EPS or _repeated(walks, first, num_walks):
                    continue
                if 1.0 - cost > gain:
                    entering, gain = m + num_walks, 1.0 - cost
                num_walks += 1
            if entering < 0 and mix == 0.0:
                value = 0.0
                for e in range(m):
                    value += price[e] * x[e]
                return min(value, enough)
            mix = 0.5 * mix if mix > 0.1 else 0.0
        if not _pivot(inverse, level, basic, walks, entering):
            return enough
        packed = 0.0
        for r in range(m):
            if basic[r] >= m:
                packed += level[r]
        if packed - _PERTURBATION * m >= enough:
            return enough
    return enough


@compiled
def _pivot(
    inverse: np.ndarray, level: np.ndarray, basic: np.ndarray, walks: np.ndarray, entering: int
) -> bool:
    """Bring a column into the basis, in place; False where none has to leave for it."""
    m = len(level)
    column = np.zeros(m)
    for r in range(m):
        if entering < m:
            column[r] = inverse[r, entering]
        else:
            for e in range(m):
                column[r] += inverse[r, e] * walks[entering - m, e]
    leaving, step = -1, np.inf
    for r in range(m):
        if column[r] > _EPS and level[r] < step * column[r]:
            leaving, step = r, level[r] / column[r]
    if leaving < 0:
        return False
    for e in range(m):
        inverse[leaving, e] /= column[leaving]
    level[leaving] = step
    for r in range(m):
        if r != leaving and column[r] != 0.0:
            for e in range(m):
                inverse[r, e] -= column[r] * inverse[leaving, e]
            level[r] -= column[r] * step
    basic[leaving] = entering
    return True


@compiled
def _repeated(walks: np.ndarray, first: int, latest: int) -> bool:
    """Whether row `latest` equals one of the rows from `first` on before it."""
    for k in range(first, latest):
        same = True
        for e in range(walks.shape[1]):
            same = same and walks[k, e] == walks[latest, e]
        if same:
            return True
    return False
