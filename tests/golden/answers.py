"""What public calls answer, as named numbers and words. Public interface only.

Names that may move in a rebuild are not imported here, so that one script runs on both sides of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb import DecisionLayer, exactness_threshold, optimal_value
from diffcomb.problems import BinaryProgram, GraphColoring, JobShop, Problem
from tests.golden.inputs import Inputs
from tests.registry import make_problem

Found = dict[str, Tensor | tuple[str, ...]]

#: rho in units of mean|theta|: mostly vertices, both kinds, mostly faces, nearly the whole box
SHARES = (0.01, 0.1, 1.0, 10.0)
_MACHINES = [[0, 1, 2], [1, 0, 2], [2, 1, 0]]
SHOPS: dict[str, dict[str, Any]] = {
    "makespan": {},
    "completion": {"weights": [3.0, 1.0, 2.0]},
    "tardiness": {"weights": [3.0, 1.0, 2.0], "due_dates": [150.0, 190.0, 230.0]},
    "earliness_tardiness": {"weights": [3.0, 1.0, 2.0], "due_dates": [150.0, 190.0, 230.0]},
}


def _zero_or_one(z: Tensor) -> Tensor:
    """A decision as whole numbers, which are compared exactly."""
    whole = z.round().long()
    assert bool((whole == z).all()), "a decision is not a 0-1 vector to the last bit"
    return whole


def pulled_back(call: Callable[..., Any], g: Tensor, *leaves: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The decision, and g carried back to each of the leaves."""
    tracked = [leaf.clone().requires_grad_() for leaf in leaves]
    out = call(*tracked)
    return out.detach(), torch.autograd.grad(out, tracked, g)


def costs_of(inputs: Inputs, label: str, problem: Problem, batch: int, what: str = "theta") -> Tensor:
    return inputs(f"{label}/{what}", lambda generator: problem.random_costs(batch, generator=generator))


def exact_decisions(name: str, inputs: Inputs) -> Found:
    """z*, value, bound, status and rho_bar, and per rho whether x_rho is z*."""
    problem = make_problem(name)
    theta = costs_of(inputs, name, problem, 2)
    result = problem.solve(theta)
    found: Found = {
        "decision": _zero_or_one(result.decision),
        "value": result.value,
        "bound": result.bound,
        "statuses": tuple(map(str, result.statuses)),
        "threshold": exactness_threshold(problem, theta),
    }
    for share in SHARES:
        layer = DecisionLayer(problem, rho=share * theta.abs().mean(-1), certify="exact")
        found[f"layer's decision, rho {share}"] = _zero_or_one(layer(theta))
        found[f"certified, rho {share}"] = layer.last.certified
        found[f"exact, rho {share}"] = layer.last.exact
    return found


def relaxed_decisions(
    label: str,
    make: Callable[[], Problem],
    arguments: dict[str, Any],
    shares: tuple[float, ...],
    batch: int,
    inputs: Inputs,
) -> Found:
    """x_rho, its pull-back and face per rho; at rho = mean|theta| the exact decision with that pull-back."""
    problem = make()
    theta = costs_of(inputs, label, problem, batch)
    g = inputs.gradient(f"{label}/g", theta)
    found: Found = {}
    for share in shares:
        layer = DecisionLayer(problem, rho=share * theta.abs().mean(-1), decision="relaxed", **arguments)
        x, (pulled,) = pulled_back(layer, g, theta)
        found[f"x, rho {share}"], found[f"pull-back, rho {share}"] = x, pulled
        found[f"face dimension, rho {share}"] = layer.last.face_dimension
    exact = DecisionLayer(problem, rho=theta.abs().mean(-1), decision="exact", **arguments)
    z, (pulled,) = pulled_back(exact, g, theta)
    found |= {
        "decision": _zero_or_one(z),
        "decision's pull-back": pulled,
        "decision's value": exact.last.value,
        "decision's statuses": tuple(map(str, exact.last.statuses)),
        "decision's face dimension": exact.last.face_dimension,
    }
    return found


def tied_costs(name: str, inputs: Inputs) -> Found:
    """x_rho, unique also where costs are small whole numbers and faces degenerate."""
    problem = make_problem(name)
    sign = costs_of(inputs, name, problem, 2).sign()
    theta = sign * inputs(
        f"{name}/sizes", lambda generator: torch.randint(1, 4, sign.shape, generator=generator).double()
    )
    return {
        f"x, rho {share}": DecisionLayer(problem, rho=share * 2.0, decision="relaxed")(theta)
        for share in SHARES
    }


def decide_with_rows(problem: Problem, rho: float, theta: Tensor, **rows: Tensor) -> Tensor:
    """x_rho with rows per instance: the one call here that moves, to DecisionLayer(...)(theta, **rows)."""
    try:
        from diffcomb.layers import ParametricLayer
    except ImportError:
        return DecisionLayer(problem, rho=rho, decision="relaxed")(theta, **rows)
    return ParametricLayer(problem, rho=rho)(theta, **rows)


def schedules(objective: str, inputs: Inputs) -> Found:
    """Start times, their derivative, value and slope of the optimal value, of a 3 x 3 job shop."""
    shop = JobShop(_MACHINES, objective, **SHOPS[objective])
    p = costs_of(inputs, "job shop", shop, 2)
    layer = DecisionLayer(shop)
    starts, (pulled,) = pulled_back(layer, inputs.gradient("job shop/g", p), p)
    _, (slope,) = pulled_back(lambda t: optimal_value(shop, t).sum(), torch.ones(()).double(), p)
    return {
        "starts": starts,
        "pull-back": pulled,
        "slope of the value": slope,
        "value": layer.last.value,
        "statuses": tuple(map(str, layer.last.statuses)),
        "unique": layer.last.unique,
        "tied": layer.last.tied,
    }


def predicted_rows(rho: float, inputs: Inputs) -> Found:
    """x_rho and its gradients in costs, rows and right-hand sides, each instance with its own."""
    A, G = np.array([[1.0, 1, 1, 0, 0, 0]]), np.array([[3.0, 2, 4, 5, 2, 6], [1.0, 4, 2, 2, 5, 1]])
    own = {"A": A, "b": np.array([1.3]), "G": G, "h": np.array([9.0, 8.0])}
    problem = BinaryProgram(**own)
    theta = inputs("rows/theta", lambda generator: -5 * torch.rand(2, 6, generator=generator).double())
    rows = {
        key: inputs(f"rows/{key}", lambda generator, v=value: _shaken(v, generator))
        for key, value in own.items()
    }

    def decide(theta: Tensor, *values: Tensor) -> Tensor:
        return decide_with_rows(problem, rho, theta, **dict(zip(rows, values, strict=True)))

    x, gradients = pulled_back(decide, inputs.gradient("rows/g", theta), theta, *rows.values())
    return {"x": x} | {f"pull-back to {key}": g for key, g in zip(("theta", *rows), gradients, strict=True)}


def _shaken(value: np.ndarray, generator: torch.Generator) -> Tensor:
    return torch.as_tensor(value) * (0.95 + 0.1 * torch.rand(2, *value.shape, generator=generator).double())


def list_of_problems(decision: str, inputs: Inputs) -> Found:
    """Colourings of graphs that differ, two instances of the first: decisions, pull-backs and faces."""
    graphs = [
        GraphColoring([(0, 1), (1, 2), (2, 0), (2, 3)], 4, 3),
        GraphColoring([(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)], 5, 3),
        GraphColoring([(0, 1), (0, 2), (0, 3), (1, 2)], 5, 4),
    ]
    problems = [graphs[0], graphs[1], graphs[2], graphs[0]]
    theta = [costs_of(inputs, f"graph {k}", p, 1)[0] for k, p in enumerate(problems)]
    g = [inputs.gradient(f"graph {k}/g", t) for k, t in enumerate(theta)]
    leaves = [t.clone().requires_grad_() for t in theta]
    layer = DecisionLayer(problems, rho=0.5, decision=decision)
    out = layer(leaves)
    gradients = torch.autograd.grad(out, leaves, g)
    assert layer.last.face_dimension is not None
    return {
        "decisions": torch.cat(out).detach(),
        "pull-backs": torch.cat(gradients),
        "face dimension": layer.last.face_dimension,
    }


def training_rho(inputs: Inputs) -> Found:
    """rho="auto" over eight training batches: the controller's path, and the pull-backs on it."""
    problem = make_problem("assignment")
    layer = DecisionLayer(problem).train()
    path, pulled = [], []
    for step in range(8):
        theta = costs_of(inputs, f"training {step}", problem, 4)
        pulled.append(pulled_back(layer, inputs.gradient(f"training {step}/g", theta), theta)[1][0])
        path.append(layer.last.rho)
    return {"rho": torch.stack(path), "pull-backs": torch.stack(pulled)}
