"""Forward + backward of the relaxed layer against the alternatives: `python -m benchmarks.layer [--quick]`.

CPU seconds of this process on one thread, the autograd graph included; every ratio comes from the
same run. References are timed on a few instances and compared per instance: PIQP its forward solve
alone, set up once; cvxpylayers forward and backward. `exact` is the discrete solve alone. Gradients
are compared with central differences where they are not zero.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
import piqp
import torch
from scipy import sparse
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


def gradient_error(layer: DecisionLayer, theta: Tensor, generator: torch.Generator) -> float | None:
    """1 - cos between the gradient and central differences, over ten random directions; None at 0."""
    g = torch.randn(theta.shape, generator=generator, dtype=torch.float64)
    directions = torch.randn(10, theta.shape[1], generator=generator, dtype=torch.float64)
    leaf = theta.clone().requires_grad_()
    (layer(leaf) * g).sum().backward()
    assert leaf.grad is not None
    h = 1e-7 * theta.abs().mean() * directions
    both = (layer(theta + h) - layer(theta - h)) @ g[0] / (2e-7 * theta.abs().mean())
    exact = directions @ leaf.grad[0]
    return 1.0 - float(torch.cosine_similarity(both, exact, dim=0)) if exact.norm() > 0 else None


def piqp_seconds(polytope: Polytope, costs: np.ndarray) -> float:
    """CPU seconds of PIQP's own forward solve per instance: set up once, then a new cost a solve.

    No adjoint and no face, so the ratio to our forward and backward favours PIQP.
    """
    solver = piqp.SparseSolver()
    solver.settings.eps_abs = solver.settings.eps_rel = 1e-9
    n, q = polytope.num_vars, len(polytope.h)
    A = sparse.csc_matrix(polytope.A) if len(polytope.b) else None
    G = sparse.csc_matrix(polytope.G) if q else None
    solver.setup(
        sparse.eye(n, format="csc"),
        costs[0] - 0.5,
        A,
        polytope.b if A is not None else None,
        G,
        None,
        polytope.h if G is not None else None,
        np.zeros(n),
        np.ones(n),
    )

    def loop() -> None:
        for cost in costs:
            solver.update(c=cost - 0.5)
            solver.solve()

    return cpu_seconds(loop) / len(costs)


def ratio(seconds: float | None, ours: float) -> str:
    return "-" if seconds is None else f"{seconds / ours:.1f}"


def run(quick: bool, batches: tuple[int, ...], shares: tuple[float, ...]) -> None:
    torch.set_num_threads(1)
    print(
        f"{'instance':16}{'n':>6}{'m':>5}{'batch':>6}{'rho':>6}{'kkt ms':>10}{'piqp/kkt':>10}"
        f"{'cvxpyl./kkt':>12}{'1+kkt/exact':>12}{'residual':>10}{'1-cos':>9}"
    )
    ratios: dict[str, list[float]] = {"piqp": [], "cvxpylayers": []}
    growth: list[tuple[int, float]] = []
    failures = 0
    for name, problem in instances(quick):
        generator = torch.Generator().manual_seed(0)
        theta = problem.random_costs(max(batches), generator=generator)
        weight = torch.randn(theta.shape, generator=generator, dtype=torch.float64)
        polytope = problem.polytope()
        n, m = problem.num_costs, len(polytope.b) + len(polytope.h)
        exact = None
        if not name.startswith(("TSP", "matching")):
            exact = cpu_seconds(lambda p=problem, c=theta[:1]: p.solve(c, num_workers=1))  # type: ignore[misc]
        for share in shares:
            rho = share * float(theta.abs().mean())
            layer = DecisionLayer(problem, rho=rho, decision="relaxed")
            # references: seconds per instance, from four instances (PIQP) and one (cvxpylayers)
            theirs: dict[str, float | None] = {"piqp": None, "cvxpylayers": None}
            if n <= _REFERENCE_LIMIT["piqp"]:
                theirs["piqp"] = piqp_seconds(polytope, (theta[:4] / rho).numpy())
            if n <= _REFERENCE_LIMIT["cvxpylayers"]:
                reference = DecisionLayer(problem, solver="cvxpylayers", rho=rho, decision="relaxed")
                theirs["cvxpylayers"] = cpu_seconds(forward_backward(reference, theta[:1], weight[:1]))
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
                each = ours / batch
                for other, seconds in theirs.items():
                    if seconds is not None:
                        ratios[other].append(seconds / each)
                overhead = "-" if exact is None or batch > 1 else f"{1 + ours / exact:.2f}"
                error_of_gradient = gradient_error(layer, theta[:1], generator) if batch == 1 else None
                cosine = "-" if error_of_gradient is None else f"{error_of_gradient:.1e}"
                print(
                    f"{name:16}{n:6}{m:5}{batch:6}{share:6}{1e3 * ours:10.3f}"
                    f"{ratio(theirs['piqp'], each):>10}"
                    f"{ratio(theirs['cvxpylayers'], each):>12}{overhead:>12}{float(residual.max()):10.1e}"
                    f"{cosine:>9}",
                    flush=True,
                )
                if batch == 32 and share == 0.1:
                    growth.append((n, ours))
    for other, values in ratios.items():
        if values:
            print(f"{other}: median {np.median(values):.1f}x, least {min(values):.1f}x the time of kkt")
    slope, _ = np.polyfit(*np.log(np.array(growth)).T, 1)
    print(f"growth: time of 32 instances ~ n^{slope:.2f} over {len(growth)} polytopes; {failures} failures")
    print(two_threads())


def two_threads() -> str:
    """Wall-clock seconds of a batch of 256 on one thread over two: 2 is perfect."""
    problem = ShortestPath.grid(12, 12)
    theta = problem.random_costs(256, generator=torch.Generator().manual_seed(0))
    call = forward_backward(
        DecisionLayer(problem, rho=0.1 * float(theta.abs().mean()), decision="relaxed"), theta, theta
    )
    best = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        call()
        times = []
        for _ in range(5):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        best.append(min(times))
    torch.set_num_threads(1)
    return f"two threads: {best[0] / best[1]:.2f}x the speed of one (256 grids 12x12, wall clock)"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small instances, batches 1 and 32, one rho")
    arguments = parser.parse_args()
    if arguments.quick:
        run(True, (1, 32), (0.1,))
    else:
        run(False, (1, 32, 256), (1.0, 0.1, 0.01))
