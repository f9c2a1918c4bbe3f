"""Forward + backward of the relaxed layer against the alternatives: `python -m benchmarks.layer [--quick]`.

CPU seconds of this process on one thread, the autograd graph included; every ratio comes from the
same run. `exact` is the discrete solve alone. Gradients are compared with central differences.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from diffcomb import DecisionLayer
from diffcomb.errors import DiffcombError
from diffcomb.problems import Assignment, Knapsack, Polytope, Problem, ShortestPath, TravelingSalesman

#: instances too slow for a general solver are not timed with it
_REFERENCE_LIMIT = {"piqp": 2500, "cvxpylayers": 300}


class DegreePolytope(TravelingSalesman):
    """The degree equations alone, which every solver can take."""

    def polytope(self) -> Polytope:
        p = super().polytope()
        return Polytope(p.A, p.b, p.G, p.h, integral=False)


def instances(quick: bool) -> Iterator[tuple[str, Problem]]:
    rng = np.random.default_rng(0)
    for size in (5, 12) if quick else (5, 12, 30):
        yield f"grid {size}x{size}", ShortestPath.grid(size, size)
    for size in (5, 10) if quick else (5, 10, 20, 50, 100):
        yield f"assignment {size}", Assignment(size)
    for items in (32,) if quick else (32, 100):
        weights = rng.uniform(3, 8, (2, items))
        yield f"knapsack {items}", Knapsack(weights, 0.4 * weights.sum(1))
    for cities in (20,) if quick else (20, 50):
        yield f"TSP degree {cities}", DegreePolytope(cities)


def cpu_seconds(call: Callable[[], object], budget: float = 0.3) -> float:
    """Fastest of the calls that fit in the budget, at least two."""
    best, spent = np.inf, 0.0
    call()
    while spent < budget:
        start = time.process_time()
        call()
        took = time.process_time() - start
        best, spent = min(best, took), spent + max(took, 1e-4)
    return float(best)


def forward_backward(layer: DecisionLayer, theta: Tensor, weight: Tensor) -> Callable[[], object]:
    def call() -> Tensor:
        leaf = theta.clone().requires_grad_()
        (layer(leaf) * weight).sum().backward()
        assert leaf.grad is not None
        return leaf.grad

    return call


def gradient_error(layer: DecisionLayer, theta: Tensor, generator: torch.Generator) -> float:
    """1 - cos between the gradient and central differences, over ten random directions."""
    g = torch.randn(theta.shape, generator=generator, dtype=torch.float64)
    directions = torch.randn(10, theta.shape[1], generator=generator, dtype=torch.float64)
    leaf = theta.clone().requires_grad_()
    (layer(leaf) * g).sum().backward()
    assert leaf.grad is not None
    h = 1e-7 * theta.abs().mean() * directions
    both = (layer(theta + h) - layer(theta - h)) @ g[0] / (2e-7 * theta.abs().mean())
    exact = directions @ leaf.grad[0]
    return 1.0 - float(torch.cosine_similarity(both, exact, dim=0)) if exact.norm() > 0 else 0.0


def run(quick: bool, batches: tuple[int, ...], shares: tuple[float, ...]) -> None:
    torch.set_num_threads(1)
    print(
        f"{'instance':16}{'n':>6}{'m':>5}{'batch':>6}{'rho':>6}{'kkt ms':>9}"
        f"{'piqp/kkt':>10}{'cvxpyl./kkt':>12}{'kkt+exact/exact':>16}{'residual':>10}{'1-cos':>9}"
    )
    ratios: dict[str, list[float]] = {"piqp": [], "cvxpylayers": []}
    growth: list[tuple[int, int, float]] = []
    failures = 0
    for name, problem in instances(quick):
        generator = torch.Generator().manual_seed(0)
        theta = problem.random_costs(max(batches), generator=generator)
        weight = torch.randn(theta.shape, generator=generator, dtype=torch.float64)
        polytope = problem.polytope()
        n, m = problem.num_costs, len(polytope.b) + len(polytope.h)
        for share in shares:
            rho = share * float(theta.abs().mean())
            layer = DecisionLayer(problem, rho=rho, decision="relaxed")
            for batch in batches:
                costs, g = theta[:batch], weight[:batch]
                try:
                    ours = cpu_seconds(forward_backward(layer, costs, g))
                except DiffcombError as error:
                    failures += 1
                    print(f"{name:16} failed: {error}")
                    continue
                residual = layer.last.kkt_residual
                assert residual is not None
                cells = []
                for other, limit in _REFERENCE_LIMIT.items():
                    # a loop over instances: batch 1 tells, larger ones repeat it
                    if n > limit or batch > 1:
                        cells.append("-")
                        continue
                    reference = DecisionLayer(problem, solver=other, rho=rho, decision="relaxed")
                    ratio = cpu_seconds(forward_backward(reference, costs, g)) / ours
                    ratios[other].append(ratio)
                    cells.append(f"{ratio:.1f}")
                overhead = "-"
                if batch == 1 and not name.startswith("TSP"):
                    exact = cpu_seconds(lambda p=problem, c=costs: p.solve(c, num_workers=1))  # type: ignore[misc]
                    overhead = f"{1 + ours / exact:.2f}"
                error = gradient_error(layer, theta[:1], generator) if batch == 1 else float("nan")
                print(
                    f"{name:16}{n:6}{m:5}{batch:6}{share:6}{1e3 * ours:9.3f}{cells[0]:>10}{cells[1]:>12}"
                    f"{overhead:>16}{float(residual.max()):10.1e}{error:9.1e}",
                    flush=True,
                )
                if batch == min(batches) and share == shares[-1]:
                    growth.append((n, m, ours))
    for other, values in ratios.items():
        if values:
            print(f"{other}: median {np.median(values):.1f}x, least {min(values):.1f}x the time of kkt")
    logs = np.log(np.array(growth))
    slope, _ = np.polyfit(logs[:, 0], logs[:, 2], 1)
    print(f"growth: time ~ n^{slope:.2f} over {len(growth)} instances; {failures} failures")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small instances, batches 1 and 32, one rho")
    arguments = parser.parse_args()
    if arguments.quick:
        run(True, (1, 32), (0.1,))
    else:
        run(False, (1, 32, 256), (1.0, 0.1, 0.01))
