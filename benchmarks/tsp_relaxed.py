"""The relaxed decision over the subtour polytope against the exact tour: CPU milliseconds by size and rho.

    python -m benchmarks.tsp_relaxed 50 100 200 493

Random Euclidean costs, mean over a few maps (10 of 50 cities, 1 of 493); rho in units of the mean
cost. `priced` starts on near neighbours without known rows and prices columns in, `all` has all columns
at once; solvers are built before. `forward` is what solver="kkt" takes, `ratio` forward + backward over
the exact solve of the same costs (which is stopped after 30 s of wall clock: the true ratio is smaller
then).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from diffcomb.problems import TravelingSalesman
from diffcomb.projection import RoutedProjector, column_pricing
from diffcomb.projection.column_pricing import ColumnPricingSolver

#: columns with their widths
_COLUMNS = {"cities": 6, "rho": 5, "priced": 8, "all": 8, "forward": 8, "backward": 8, "exact": 8, "ratio": 6}

#: wall-clock seconds of an exact solve
_LIMIT = 30.0


def _milliseconds(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    answer = call()
    return 1e3 * (time.process_time() - start), answer


def main() -> None:
    print(" ".join(f"{name:>{width}s}" for name, width in _COLUMNS.items()), " face  residual")
    column_pricing._SPREAD_OUT, chosen = 0.0, column_pricing._SPREAD_OUT
    for cities in (70, *map(int, sys.argv[1:] or ("50", "100", "200", "493"))):
        problem = TravelingSalesman(cities)
        count = max(1, 500 // cities)
        maps = problem.random_costs(count, generator=torch.Generator().manual_seed(cities)).split(1)
        exact = 0.0
        for theta in maps:
            spent, _ = _milliseconds(lambda p=problem, t=theta: p.solve(t, num_workers=1, time_limit=_LIMIT))
            exact += spent
        complete = RoutedProjector(problem.polytope())
        for share in (0.01, 0.1, 1.0):
            times, face, residual = np.zeros(4), 0, 0.0
            for theta in maps:
                rho = share * theta.mean(-1)
                pricing = ColumnPricingSolver(problem)
                priced, first = _milliseconds(lambda s=pricing, t=theta, r=rho: s.solve(t, r))
                whole, second = _milliseconds(lambda s=complete, t=theta, r=rho: s.solve(t, r))
                prices = problem.has_candidate_columns and float((theta / rho).std()) > chosen
                forward, relaxed = (priced, first) if prices else (whole, second)
                backward, _ = _milliseconds(lambda a=relaxed, t=theta: a.adjoint(t))
                times += (priced, whole, forward, backward)
                face += int(relaxed.face_dimension)
                residual = max(residual, float(relaxed.kkt_residual))
            if cities == 70 and "70" not in sys.argv:  # compiles
                continue
            print(
                f"{cities:6d} {share:5.2f}",
                *(f"{cell / count:8.1f}" for cell in (*times, exact)),
                f"{(times[2] + times[3]) / exact:6.2f} {face // count:5d} {residual:9.1e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
