"""The relaxed decision over the clique rows of a colouring and its gradient: CPU seconds by size and rho.

    python -m benchmarks.coloring_relaxed le450_5a:5 le450_15c:15 DSJC1000.1:21 flat1000_50_0:50

Uniform costs per vertex and colour; rho in units of the mean cost. `rows` are those of all cliques of the
relaxation, `tight` those that hold with equality at the solution, `face` the dimension of its face. Reads
`coloring/*.col` under $DIFFCOMB_DATA.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import torch

from diffcomb import DecisionLayer
from diffcomb.problems import GraphColoring

_INSTANCES = ("le450_5a:5", "le450_15c:15", "DSJC1000.1:21", "flat1000_50_0:50")


def _seconds(problem: GraphColoring, share: float) -> tuple[float, float, DecisionLayer]:
    theta = problem.random_costs(1, generator=torch.Generator().manual_seed(0)).requires_grad_()
    grad = torch.randn(theta.shape, generator=torch.Generator().manual_seed(1), dtype=theta.dtype)
    rho = share * float(theta.detach().mean())
    layer = DecisionLayer(problem, solver="kkt", decision="relaxed", rho=rho)
    start = time.process_time()
    x = layer(theta)
    middle = time.process_time()
    x.backward(grad)
    return middle - start, time.process_time() - middle, layer


def main() -> None:
    folder = Path(os.environ.get("DIFFCOMB_DATA", "data")) / "coloring"
    small = GraphColoring.random(30, 0.5, generator=torch.Generator().manual_seed(0))
    for share in (1.0, 0.1, 0.01):  # compiles
        _seconds(small, share)
    print(
        f"{'instance':<16}{'N':>6}{'K':>4}{'rows':>8}{'rho':>6}{'forward':>9}{'backward':>9}{'tight':>7}"
        f"{'face':>7}{'residual':>10}"
    )
    for argument in sys.argv[1:] or _INSTANCES:
        name, colors = argument.split(":")
        problem = GraphColoring.from_dimacs(folder / f"{name}.col", int(colors))
        rows = problem.clique_rows.family.shape[0] * problem.num_colors
        for share in (1.0, 0.1):
            forward, backward, layer = _seconds(problem, share)
            last = layer.last
            print(
                f"{name:<16}{problem.num_vertices:>6}{problem.num_colors:>4}{rows:>8}{share:>6.1f}"
                f"{forward:>9.2f}{backward:>9.3f}{int(last.active_rows):>7}{int(last.face_dimension):>7}"
                f"{float(last.kkt_residual):>10.1e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
