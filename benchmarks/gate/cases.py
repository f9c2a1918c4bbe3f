"""What the gate times: name -> a function that builds a problem and a layer and returns one call.

The same file runs in both checkouts, so it uses the public interface alone. A call that an old checkout
does not know yet raises there, and the case is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb import DecisionLayer, FenchelYoungLoss
from diffcomb.losses import SPOPlusLoss
from diffcomb.problems import (
    Assignment,
    GraphColoring,
    JobShop,
    Knapsack,
    Matching,
    Problem,
    ShortestPath,
    TravelingSalesman,
)
from diffcomb.relaxations import LPGD, QPTL, ExactDecision

Call = Callable[[], object]
Make = Callable[[], Problem]


def _grid(size: int) -> Problem:
    return ShortestPath.grid(size, size)


def _knapsack(items: int) -> Problem:
    weights = np.random.default_rng(0).uniform(3, 8, (2, items))
    return Knapsack(weights, 0.4 * weights.sum(1))


def _matching(nodes: int) -> Problem:
    pairs = np.stack(np.triu_indices(nodes, 1), axis=1)
    chosen = np.random.default_rng(0).permutation(len(pairs))[: 5 * nodes]
    return Matching(pairs[chosen].tolist(), nodes)


def _coloring(vertices: int, colors: int, seed: int = 0) -> Problem:
    pairs = np.stack(np.triu_indices(vertices, 1), axis=1)
    return GraphColoring(pairs[np.random.default_rng(seed).random(len(pairs)) < 0.3], vertices, colors)


def _shop(size: int) -> JobShop:
    rng = np.random.default_rng(0)
    return JobShop([rng.permutation(size).tolist() for _ in range(size)])


def _drawn(problem: Problem, batch: int) -> tuple[Tensor, Tensor]:
    """Costs and an incoming gradient, (batch, n) each."""
    generator = torch.Generator().manual_seed(0)
    theta = problem.random_costs(batch, generator=generator)
    return theta, torch.randn(theta.shape, generator=generator, dtype=torch.float64)


def _trained(layer: Callable[[Tensor], Tensor], theta: Tensor, g: Tensor) -> Call:
    """Forward and backward."""

    def call() -> Tensor:
        leaf = theta.clone().requires_grad_()
        layer(leaf).backward(g)
        assert leaf.grad is not None
        return leaf.grad

    return call


def _layer(
    make: Make, batch: int, share: float = 0.1, *, dtype: torch.dtype = torch.float64, **arguments: Any
) -> Call:
    """Forward and backward of a layer, rho = share mean|theta|."""
    problem = make()
    theta, g = _drawn(problem, batch)
    layer = DecisionLayer(problem, rho=share * float(theta.abs().mean()), **arguments)
    return _trained(layer, theta.to(dtype), g.to(dtype))


def _forward(make: Make, batch: int) -> Call:
    """The relaxed decision without a gradient."""
    problem = make()
    theta, _ = _drawn(problem, batch)
    layer = DecisionLayer(problem, rho=0.1 * float(theta.abs().mean()), decision="relaxed")
    return lambda: layer(theta)


def _fresh(make: Make) -> Call:
    """Problem, layer and first gradient: what a new instance costs."""
    theta, g = _drawn(make(), 1)
    rho = 0.1 * float(theta.abs().mean())
    return lambda: _trained(DecisionLayer(make(), rho=rho, decision="relaxed"), theta, g)()


def _list(decision: str) -> Call:
    """A layer over a list of eight graphs, two of each."""
    problems = [_coloring(12, 5, seed % 4) for seed in range(4)] * 2
    drawn = [_drawn(problem, 1) for problem in problems]
    layer = DecisionLayer(problems, rho=0.05, decision=decision)

    def call() -> object:
        leaves = [theta[0].clone().requires_grad_() for theta, _ in drawn]
        return torch.autograd.grad(layer(leaves), leaves, [g[0] for _, g in drawn])

    return call


def _solve(make: Make, batch: int, oracle: str) -> Call:
    problem = make()
    theta, _ = _drawn(problem, batch)
    return lambda: problem.solve(theta, oracle=oracle)


def _loss(kind: str, make: Make, batch: int) -> Call:
    """A loss of theta, forward and backward."""
    problem = make()
    theta, _ = _drawn(problem, batch)
    costs = theta.roll(1, 0)
    z = problem.solve(costs).decision
    if kind == "fenchel_young":
        smooth = FenchelYoungLoss(DecisionLayer(problem, decision="relaxed"))
        return _trained(lambda t: smooth(t, z), theta, torch.ones((), dtype=torch.float64))
    exact = SPOPlusLoss(ExactDecision(problem))
    return _trained(lambda t: exact(t, costs, z), theta, torch.ones((), dtype=torch.float64))


def _estimator(kind: Callable[[Problem], torch.nn.Module], make: Make, batch: int) -> Call:
    problem = make()
    return _trained(kind(problem), *_drawn(problem, batch))


def _rows(batch: int) -> Call:
    """x_rho with rows of each instance: the call that is to become DecisionLayer(...)(theta, G=, h=)."""
    weights = np.random.default_rng(0).uniform(3, 8, (2, 32))
    problem = Knapsack(weights, 0.4 * weights.sum(1))
    theta, g = _drawn(problem, batch)
    G = torch.as_tensor(weights).expand(batch, 2, 32).contiguous().requires_grad_()
    h = torch.as_tensor(0.4 * weights.sum(1)).expand(batch, 2).contiguous().requires_grad_()
    try:
        from diffcomb.layers import ParametricLayer
    except ImportError:
        layer = DecisionLayer(problem, rho=1.0, decision="relaxed")
    else:
        layer = ParametricLayer(problem, rho=1.0)
    return _trained(lambda t: layer(t, G=G, h=h), theta, g)


def _cases() -> dict[str, Callable[[], Call]]:
    cases: dict[str, Callable[[], Call]] = {}

    def add(name: str, make: Make, batches: tuple[int, ...], **arguments: Any) -> None:
        for batch in batches:
            cases[f"{name} x{batch}"] = partial(_layer, make, batch, **arguments)

    relaxed = {"decision": "relaxed"}
    known = {"decision": "relaxed", "lazy_rows": False}
    for size, batches in ((5, (1, 32, 256)), (12, (1, 32)), (30, (1, 8))):
        add(f"grid {size}x{size}", partial(_grid, size), batches, **relaxed)
    for size, batches in ((10, (1, 32, 256)), (20, (1, 32)), (50, (1, 4))):
        add(f"assignment {size}", partial(Assignment, size), batches, **relaxed)
    for items, batches in ((32, (1, 32, 256)), (100, (1, 32))):
        add(f"knapsack {items}", partial(_knapsack, items), batches, **relaxed)
    for cities, batches in ((20, (1, 32)), (50, (1, 8))):
        add(f"degrees {cities}", partial(TravelingSalesman, cities), batches, **known)
        add(f"tour {cities}", partial(TravelingSalesman, cities), batches, **relaxed)
    add("tour 100", partial(TravelingSalesman, 100), (1,), **relaxed)
    add("matching 20", partial(_matching, 20), (1, 4), **relaxed)
    add("coloring 20", partial(_coloring, 20, 6), (1, 8), **relaxed)
    add("grid 12x12, rho 1", partial(_grid, 12), (32,), share=1.0, **relaxed)
    add("degrees 50, rho 1", partial(TravelingSalesman, 50), (8,), share=1.0, **known)
    add("grid 12x12, float32", partial(_grid, 12), (32,), dtype=torch.float32, **relaxed)
    add("assignment 20, cg", partial(Assignment, 20), (32,), backward="cg", **relaxed)
    for name, make in (("grid 5x5", partial(_grid, 5)), ("knapsack 32", partial(_knapsack, 32))):
        add(f"{name}, kkt_torch", make, (32,), solver="kkt_torch", **relaxed)
    for name, make in (
        ("grid 12x12", partial(_grid, 12)),
        ("assignment 20", partial(Assignment, 20)),
        ("knapsack 32", partial(_knapsack, 32)),
    ):
        add(f"{name}, vertices", make, (8,), share=0.01, solver="vertices", **relaxed)
    add("grid 30x30, auto", partial(_grid, 30), (8,), share=0.005, solver="auto", **relaxed)
    for name, make, batch in (
        ("tour 20", partial(TravelingSalesman, 20), 4),
        ("knapsack 32", partial(_knapsack, 32), 8),
        ("grid 12x12", partial(_grid, 12), 32),
        ("assignment 20", partial(Assignment, 20), 32),
    ):
        add(f"{name}, exact", make, (batch,), decision="exact")
    add("job shop 6x6, exact", partial(_shop, 6), (1,), decision="exact")
    return cases | {
        "forward: grid 12x12 x32": partial(_forward, partial(_grid, 12), 32),
        "new: grid 12x12": partial(_fresh, partial(_grid, 12)),
        "new: tour 20": partial(_fresh, partial(TravelingSalesman, 20)),
        "new: coloring 20": partial(_fresh, partial(_coloring, 20, 6)),
        "list of 8 colorings, relaxed": partial(_list, "relaxed"),
        "list of 8 colorings, exact": partial(_list, "exact"),
        "solve: knapsack 20, highs x1": partial(_solve, partial(_knapsack, 20), 1, "highs"),
        "solve: grid 30x30 x32": partial(_solve, partial(_grid, 30), 32, "auto"),
        "solve: assignment 50 x8": partial(_solve, partial(Assignment, 50), 8, "auto"),
        "loss: fenchel_young, grid 12x12 x32": partial(_loss, "fenchel_young", partial(_grid, 12), 32),
        "loss: spo_plus, grid 12x12 x32": partial(_loss, "spo_plus", partial(_grid, 12), 32),
        "qptl: knapsack 32 x32": partial(_estimator, QPTL, partial(_knapsack, 32), 32),
        "lpgd: assignment 10 x32": partial(_estimator, LPGD, partial(Assignment, 10), 32),
        "rows: knapsack 32 x32": partial(_rows, 32),
    }


CASES = _cases()
