"""Random and degenerate relaxed decisions by the thousand: `python -m benchmarks.robustness [--count N]`.

Every family of polytopes (duplicated and dependent rows, forced edges, nodes off every path, integer
data) meets every kind of cost (ties, integers, zeros, six decades of sizes) at rho from 1e-6 to 1e4
times mean|theta|. Half of the solves are one at a time, half 32 together. Prints solves, failures and the
worst KKT residual.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import torch
from scipy import sparse

from diffcomb.errors import SolveFailedError
from diffcomb.problems import Assignment, Knapsack, ShortestPath, TravelingSalesman
from diffcomb.program import Program
from diffcomb.projection import RoutedProjector

COSTS = ("uniform", "normal", "equal", "integer", "zero", "decades")


def polytopes(rng: np.random.Generator) -> Iterator[tuple[str, Program]]:
    """Name and polytope of each family."""
    yield "grid 5x5", ShortestPath.grid(5, 5).polytope()
    yield "grid 6x8", ShortestPath.grid(6, 8).polytope()
    arcs = [(0, 1), (1, 2), (0, 2), (2, 3), (1, 3), (4, 3), (0, 5), (3, 6), (6, 7), (3, 7)]
    yield "nodes off every path", ShortestPath(arcs, 8, 0, 7).polytope()
    yield (
        "cycles",
        ShortestPath(
            [(0, 1), (1, 2), (2, 1), (0, 2), (2, 3), (1, 3), (3, 0), (2, 4), (3, 4)], 5, 0, 4
        ).polytope(),
    )
    p = Assignment(6).polytope()
    yield "assignment", p
    duplicated = sparse.vstack([p.A, p.A[:3], p.A.sum(0)[None]])
    b = np.concatenate([p.b, p.b[:3], [p.b.sum()]])
    yield "dependent equations", Program.from_arrays(duplicated, b, num_vars=36, integral=True)
    forced = np.zeros((2, 36))
    forced[0, 7] = forced[1, 14] = -1.0
    yield (
        "forced edges",
        Program.from_arrays(p.A, p.b, forced, -np.ones(2), num_vars=36, integral=True),
    )
    yield "subtours", TravelingSalesman(7).polytope()
    yield "knapsack", Knapsack(rng.random((2, 20)), [3.0, 4.0]).polytope()
    weights = rng.integers(1, 9, (3, 15)).astype(float)
    stacked, capacity = np.vstack([weights, weights[:1], 2 * weights[1:2]]), [20.0, 25, 18, 20, 50]
    yield "dependent knapsack rows", Knapsack(stacked, capacity).polytope()
    for k in range(2):
        G = -(rng.random((8, 12)) < 0.35).astype(float)
        G = G[G.sum(1) < 0]
        yield f"cover {k}", Program.from_arrays(G=G, h=-np.ones(len(G)), num_vars=12, integral=False)
    for k in range(3):
        A, z = rng.integers(-1, 2, (3, 10)).astype(float), rng.integers(0, 2, 10)
        G = rng.integers(-2, 3, (5, 10)).astype(float)
        yield (
            f"random {k}",
            Program.from_arrays(A, A @ z, G, G @ z + rng.integers(0, 2, 5), num_vars=10, integral=False),
        )


def costs(kind: str, batch: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """(batch, n) costs of one kind."""
    return {
        "uniform": rng.random((batch, n)),
        "normal": rng.normal(size=(batch, n)),
        "equal": np.ones((batch, n)) * rng.normal(size=(batch, 1)),
        "integer": rng.integers(-2, 3, (batch, n)).astype(float),
        "zero": np.zeros((batch, n)),
        "decades": rng.normal(size=(batch, n)) * 10.0 ** rng.uniform(-3, 3, (batch, n)),
    }[kind]


def run(count: int, seed: int = 0) -> tuple[int, int, float]:
    """At least `count` solves; returns how many, how many failed, and the worst residual."""
    rng = np.random.default_rng(seed)
    families = list(polytopes(rng))
    batch = -(-count // (len(families) * len(COSTS)))
    solves, failures, worst = 0, 0, 0.0
    for _, polytope in families:
        solver = RoutedProjector(polytope)
        for kind in COSTS:
            theta = torch.from_numpy(costs(kind, batch, polytope.num_vars, rng))
            scale = theta.abs().mean(-1)
            rho = torch.where(scale > 0, scale, 1.0) * 10.0 ** torch.from_numpy(rng.uniform(-6, 4, batch))
            half = batch // 2
            alone = [slice(k, k + 1) for k in range(half)]
            together = [slice(k, min(k + 32, batch)) for k in range(half, batch, 32)]
            for part in alone + together:
                solves += len(rho[part])
                try:
                    relaxed = solver.relax(theta[part], rho[part])
                except SolveFailedError:
                    failures += len(rho[part])
                    continue
                worst = max(worst, float(relaxed.kkt_residual.max()))
                failures += int((~torch.isfinite(relaxed.x)).any(-1).sum())
    return solves, failures, worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    solves, failures, worst = run(arguments.count, arguments.seed)
    print(f"{solves} solves, {failures} failures, worst KKT residual {worst:.1e}")
