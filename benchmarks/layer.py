"""Forward + backward of the relaxed layer against the alternatives: `python -m benchmarks.layer [--quick]`.

CPU seconds of this process on one thread, forward and backward with autograd; every ratio comes from
the same run and compares seconds an instance. `piqp` is a loop with an adjoint in NumPy, `piqp forward`
its bare solves without any gradient. `with/exact`: an exact decision with its gradient over the exact
decision alone, of the same batch. Gradients are compared with central differences where not zero.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from benchmarks.layer_peers import HAS_QPTH, PiqpLoop, piqp_layer, qpth_layer
from diffcomb import DecisionLayer
from diffcomb.errors import DiffcombError
from diffcomb.problems import Assignment, Knapsack, Matching, Problem, ShortestPath, TravelingSalesman
from diffcomb.program import Program

REFERENCES = ("piqp forward", "piqp", "cvxpylayers", "qpth")
#: largest n: instances too slow for a general solver are not timed with it
_REFERENCE_LIMIT = {"piqp": 2500, "cvxpylayers": 300, "qpth": 300}
Call = Callable[[Tensor], Tensor]


class DegreePolytope(TravelingSalesman):
    """The degree equations alone, which every solver can take."""

    def polytope(self) -> Program:
        p = super().polytope()
        return Program(p.A, p.b, p.G, p.h, integral=False)


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
        yield f"TSP {cities}", TravelingSalesman(cities)
    pairs = np.stack(np.triu_indices(50, 1), axis=1)
    yield "matching 50", Matching(pairs[rng.permutation(len(pairs))[:250]].tolist(), 50)


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


def forward_backward(layer: Call, theta: Tensor, weight: Tensor) -> Callable[[], object]:
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


def reference_layers(problem: Problem, polytope: Program, rho: float) -> dict[str, Call]:
    """name -> theta -> x, differentiable, for the solvers that can take an instance of this size."""
    n, layers = problem.num_costs, {}
    if polytope.is_lazy:
        return {}
    if n <= _REFERENCE_LIMIT["piqp"]:
        piqp = piqp_layer(polytope)
        layers["piqp"] = lambda theta: piqp(theta / rho)
    if n <= _REFERENCE_LIMIT["qpth"] and HAS_QPTH:
        qpth = qpth_layer(polytope)
        layers["qpth"] = lambda theta: qpth(theta / rho)
    if n <= _REFERENCE_LIMIT["cvxpylayers"]:
        layers["cvxpylayers"] = DecisionLayer(problem, solver="cvxpylayers", rho=rho, decision="relaxed")
    return layers


def seconds_of_references(
    problem: Problem, polytope: Program, rho: float, theta: Tensor, weight: Tensor
) -> dict[str, float]:
    """CPU seconds an instance: `piqp forward` without gradient, the others forward and backward."""
    seconds = {
        name: cpu_seconds(forward_backward(layer, theta, weight)) / len(theta)
        for name, layer in reference_layers(problem, polytope, rho).items()
    }
    if "piqp" in seconds:
        loop, costs = PiqpLoop(polytope), (theta / rho).numpy()
        seconds["piqp forward"] = cpu_seconds(lambda: [loop.minimize(c) for c in costs]) / len(theta)
    return seconds


def overhead(problem: Problem, rho: float, theta: Tensor, weight: Tensor) -> str:
    """Exact decision with gradient over the exact decision alone, a batch at a time, one worker."""
    layer = DecisionLayer(problem, rho=rho, num_workers=1)
    alone = cpu_seconds(lambda: problem.solve(theta, num_workers=1))
    return f"{cpu_seconds(forward_backward(layer, theta, weight)) / alone:.2f}"


def run(quick: bool, batches: tuple[int, ...], shares: tuple[float, ...]) -> None:
    torch.set_num_threads(1)
    heads = "".join(f"{name + '/kkt':>{len(name) + 6}}" for name in REFERENCES)
    print(
        f"{'instance':16}{'n':>6}{'m':>5}{'batch':>6}{'rho':>6}{'kkt ms':>10}{heads}"
        f"{'with/exact':>12}{'residual':>10}{'1-cos':>9}"
    )
    ratios: dict[str, list[float]] = {name: [] for name in REFERENCES}
    growth: list[tuple[int, float]] = []
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
                # few instances tell a loop's time; the batched solvers get the whole batch
                sample = min(batch, 4 if n > 100 else 32)
                theirs = seconds_of_references(problem, polytope, rho, theta[:sample], weight[:sample])
                try:
                    each = cpu_seconds(forward_backward(layer, costs, g)) / batch
                except DiffcombError as error:
                    failures += 1
                    print(f"{name:16} failed: {error}")
                    continue
                residual = layer.last.kkt_residual
                assert residual is not None
                for other, seconds in theirs.items():
                    ratios[other].append(seconds / each)
                columns = "".join(
                    f"{f'{theirs[other] / each:.1f}' if other in theirs else '-':>{len(other) + 6}}"
                    for other in REFERENCES
                )
                error_of_gradient = gradient_error(layer, theta[:1], generator) if batch == 1 else None
                cosine = "-" if error_of_gradient is None else f"{error_of_gradient:.1e}"
                # a batch of exact tours is a benchmark of its own
                exact = (
                    "-"
                    if name.startswith("TSP degree") or (problem.num_costs > 1000 and batch > 32)
                    else overhead(problem, rho, costs, g)
                )
                print(
                    f"{name:16}{n:6}{m:5}{batch:6}{share:6}{1e3 * each * batch:10.3f}{columns}"
                    f"{exact:>12}{float(residual.max()):10.1e}{cosine:>9}",
                    flush=True,
                )
                if batch == 32 and share == 0.1:
                    growth.append((n, each))
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
