"""The auxiliary distribution of DIMES over tours: sampling and its analytic score, compiled, batched."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled


@compiled
def _uniform(state: np.uint64) -> tuple[np.uint64, float]:
    """One step of splitmix64: the next state and a number in [0, 1)."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return state, float(z >> np.uint64(11)) * 2.0**-53


@compiled
def row_weights(logits: np.ndarray) -> np.ndarray:
    """exp(logits - largest of the row), (batch, N, k)."""
    out = np.empty_like(logits)
    for b in range(logits.shape[0]):
        for i in range(logits.shape[1]):
            largest = logits[b, i].max()
            for s in range(logits.shape[2]):
                out[b, i, s] = np.exp(logits[b, i, s] - largest)
    return out


@compiled
def sample_tours(
    logits: np.ndarray, neighbours: np.ndarray, cost: np.ndarray, starts: np.ndarray, seed: int, greedy: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Tours of q(pi) = prod_i softmax of theta_(pi_i-1, .) over unvisited neighbours, at pi_i.

    Where no neighbour is left the cheapest unvisited city follows, with probability 1.

    Args:
        logits: theta (batch, N, k) float64. neighbours: (batch, N, k) int64, cities of the k edges out
            of each. cost: (batch, N, N) float64. starts: (batch, K) int64, first cities.
        seed: of the draws; every instance gets the same stream, so its tours do not depend on the batch.
        greedy: take the most probable neighbour instead of drawing.

    Returns:
        tours (batch, K, N) int32, lengths (batch, K) float64.
    """
    batch, n, k = logits.shape
    count = starts.shape[1]
    weights = row_weights(logits)
    tours = np.empty((batch, count, n), np.int32)
    lengths = np.zeros((batch, count))
    admissible = np.empty(k)
    for b in range(batch):
        state = np.uint64(seed)
        for chain in range(count):
            visited = np.zeros(n, np.bool_)
            city = starts[b, chain]
            visited[city] = True
            tours[b, chain, 0] = city
            for position in range(1, n):
                total, best, largest = 0.0, -1, -np.inf
                for s in range(k):
                    free = not visited[neighbours[b, city, s]]
                    admissible[s] = weights[b, city, s] if free else 0.0
                    total += admissible[s]
                    if free and logits[b, city, s] > largest:
                        best, largest = s, logits[b, city, s]
                following = -1
                if best >= 0:
                    chosen = best
                    if not greedy and total > 0.0:
                        state, u = _uniform(state)
                        u *= total
                        for s in range(k):
                            u -= admissible[s]
                            if u < 0.0:
                                chosen = s
                                break
                    following = neighbours[b, city, chosen]
                else:
                    least = np.inf
                    for j in range(n):
                        if not visited[j] and cost[b, city, j] < least:
                            following, least = j, cost[b, city, j]
                lengths[b, chain] += cost[b, city, following]
                city = following
                visited[city] = True
                tours[b, chain, position] = city
            lengths[b, chain] += cost[b, city, starts[b, chain]]
    return tours, lengths


@compiled
def score(logits: np.ndarray, neighbours: np.ndarray, tours: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """sum_k weight_k grad log q(pi_k), (batch, N, k): +1 on the edge taken, -probability on the open ones.

    Args:
        logits, neighbours, tours: as in `sample_tours`. weight: (batch, K) float64.
    """
    batch, n, k = logits.shape
    weights = row_weights(logits)
    out = np.zeros_like(logits)
    for b in range(batch):
        for chain in range(tours.shape[1]):
            visited = np.zeros(n, np.bool_)
            visited[tours[b, chain, 0]] = True
            w = weight[b, chain]
            for position in range(n - 1):
                city, following = tours[b, chain, position], tours[b, chain, position + 1]
                total = 0.0
                for s in range(k):
                    if not visited[neighbours[b, city, s]]:
                        total += weights[b, city, s]
                if total > 0.0:
                    for s in range(k):
                        j = neighbours[b, city, s]
                        if not visited[j]:
                            out[b, city, s] -= w * weights[b, city, s] / total
                        if j == following:
                            out[b, city, s] += w
                visited[following] = True
    return out


def leave_one_out(costs: np.ndarray) -> np.ndarray:
    """(1/K) (c_k - mean of the other c_j), (..., K): unbiased weights of the score (Kool et al. 2019)."""
    count = costs.shape[-1]
    return (costs - costs.mean(-1, keepdims=True)) / max(count - 1, 1)
