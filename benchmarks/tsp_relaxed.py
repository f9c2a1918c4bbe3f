"""The relaxed decision over the subtour polytope: CPU milliseconds forward and backward, by size and rho.

    python -m benchmarks.tsp_relaxed 100 200 493

Random Euclidean costs; rho in units of the mean cost. `again` repeats the call with known rows.
"""

from __future__ import annotations

import sys
import time

import torch

from diffcomb.problems import TravelingSalesman
from diffcomb.reformulation import make_solver


def main() -> None:
    head = (
        ("cities", 6),
        ("rho", 5),
        ("forward", 8),
        ("again", 8),
        ("backward", 8),
        ("face", 5),
        ("residual", 9),
    )
    print(" ".join(f"{name:>{width}s}" for name, width in head))
    for cities in map(int, sys.argv[1:] or ("100", "200", "493")):
        problem = TravelingSalesman(cities)
        theta = problem.random_costs(1, generator=torch.Generator().manual_seed(cities))
        make_solver("kkt", problem).solve(theta, theta.mean(-1)).adjoint(theta)  # compiles
        for share in (0.01, 0.1, 1.0):
            solver, rho, times = make_solver("kkt", problem), share * theta.mean(-1), []
            for _ in range(2):
                start = time.process_time()
                relaxed = solver.solve(theta, rho)
                times.append(1e3 * (time.process_time() - start))
            start = time.process_time()
            relaxed.adjoint(theta)
            backward = 1e3 * (time.process_time() - start)
            print(
                f"{cities:6d} {share:5.2f} {times[0]:8.1f} {times[1]:8.1f} {backward:8.2f}"
                f" {int(relaxed.face_dimension):5d} {float(relaxed.kkt_residual):9.1e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
