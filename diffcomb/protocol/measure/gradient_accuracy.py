"""Gradient accuracy: agreement with finite differences of a named function.

The gradient of z* itself is zero almost everywhere, so each estimator is compared with the function
it claims to differentiate ("own", where it claims one), and all of them with one smoothing of z*:

    F(theta) = E c'z*(theta + s xi),  xi ~ N(0, I),  s = sigma mean|theta|

estimated from antithetic pairs, (f(theta + s xi) - f(theta - s xi)) xi / (2 s). Its own noise is the
cosine of the two halves of the sample, reported beside it.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from diffcomb import losses, relaxations
from diffcomb.layers import DecisionLayer, cost_scale
from diffcomb.metrics import gradient_cosine
from diffcomb.problems import JobShop
from diffcomb.protocol.setup.cells import Cell
from diffcomb.protocol.setup.methods import Method, method_of
from diffcomb.protocol.setup.settings import ProtocolConfig
from diffcomb.protocol.setup.store import Row
from diffcomb.protocol.setup.trials import Trial, optimum, seeded, trial_of

#: losses whose value, at frozen noise, is what their gradient differentiates
_OWN_VALUE = {
    losses.OptimalValueLoss: "optimal value V",
    losses.FenchelYoungLoss: "its Fenchel-Young loss at the same rho",
    losses.SmoothedSPOPlusLoss: "its Fenchel-Young loss at 2 theta - c, same rho",
    losses.SPOPlusLoss: "SPO+ loss",
    losses.PerturbedFenchelYoungLoss: "its loss with the same noise",
    losses.CostMSELoss: "squared error of the costs",
    losses.PlannedStartLoss: "cost of the executed start times",
}

#: instances that pools and adaptive steps have seen before they are judged
_WARM_UP = 16


def measure_gradient(cell: Cell, settings: ProtocolConfig) -> list[Row]:
    """cosine_own, cosine_smoothed, variance (relative), norm; notes name the function compared with."""
    what = settings.gradient
    trial = trial_of(cell.problem, cell.size, cell.trial, settings.seed, settings.data_folder)
    method = method_of(cell.method, settings, cell.size, cell.trial)
    theta, costs = trial.theta[None], trial.costs[None]
    decisions = optimum(trial).decision[None]

    function = own_function(method)
    if isinstance(method.trained, DecisionLayer):
        method.trained.eval()  # rho stays where it is
    if function is None:
        _warm_up(method, trial)
    draws = torch.cat([method.gradient(theta, costs, decisions) for _ in range(what.repeats)])
    mean = draws.mean(0)
    energy = float(mean.square().sum())
    spread = float(draws.var(0).sum()) if len(draws) > 1 else 0.0
    rows: list[Row] = [
        {"quantity": "norm", "value": float(torch.linalg.vector_norm(draws[0]))},
        {"quantity": "informative", "value": float(bool((draws[0] != 0).any()))},
        {
            "quantity": "variance",
            "value": spread / energy if energy > 0 else 0.0,
            "note": "trace of the covariance over the squared norm of the mean",
        },
    ]
    if function is not None:
        rows.append({"quantity": "cosine_own", "value": _own_cosine(method, trial, what), "note": function})
    if trial.problem.is_binary:
        reference, halves = smoothed_gradient(trial, what.sigma, what.samples)
        cosine = gradient_cosine(draws, reference[None].expand_as(draws)).mean()
        note = f"Monte-Carlo smoothing of c'z*, sigma {what.sigma}, {what.samples} pairs"
        rows += [
            {"quantity": "cosine_smoothed", "value": float(cosine), "note": note},
            {"quantity": "cosine_of_halves", "value": halves, "note": "noise of the smoothing itself"},
        ]
    return rows


def _warm_up(method: Method, trial: Trial) -> None:
    """One call on other costs: pools of solutions, adaptive steps and learned losses start from nothing."""
    generator = seeded("warm up", len(trial.theta))
    costs = trial.problem.random_costs(_WARM_UP, generator=generator)
    theta = costs * torch.exp(0.3 * torch.randn(costs.shape, generator=generator, dtype=torch.float64))
    method.gradient(theta, costs, trial.problem.solve(costs, num_workers=1).decision)


def own_function(method: Method) -> str | None:
    """The function that the gradient claims to be of, or None for estimators of z*."""
    if isinstance(method.loss, losses.RegretLoss):
        if isinstance(method.trained, DecisionLayer):
            return (
                "start times" if isinstance(method.problem, JobShop) else "relaxed decision at the same rho"
            )
        own_relaxation = isinstance(method.trained, relaxations.QPTL | relaxations.SparseMAP)
        return "its own relaxed decision" if own_relaxation else None
    return next((name for loss, name in _OWN_VALUE.items() if isinstance(method.loss, loss)), None)


def _own_cosine(method: Method, trial: Trial, what: object) -> float:
    """Cosine over random directions that leave mean|theta| alone: knobs in its units stay fixed.

    (SmoothedSPOPlusLoss works at 2 theta - c, whose mean it is then.)
    """
    directions: int = what.directions  # type: ignore[attr-defined]
    theta, costs = trial.theta[None], trial.costs[None]
    decisions = optimum(trial).decision[None]
    draw = torch.randn(directions, theta.shape[1], generator=seeded("directions"), dtype=torch.float64)
    sign = (2 * theta - costs if isinstance(method.loss, losses.SmoothedSPOPlusLoss) else theta).sign()
    draw = draw - (draw * sign).mean(1, keepdim=True) * sign
    method.reset()
    analytic = draw @ method.gradient(theta, costs, decisions)[0]
    h = 1e-6 * float(cost_scale(theta))
    slopes = []
    for u in draw:
        values = []
        for side in (h, -h):
            method.reset()
            with torch.enable_grad():  # without gradient, layers return the deployed decision
                shifted = (theta + side * u).requires_grad_()
                values.append(float(method.loss_value(shifted, costs, decisions).detach()))
        slopes.append((values[0] - values[1]) / (2 * h))
    numeric = torch.tensor(slopes, dtype=torch.float64)
    # differences of a constant are rounding: below 1e-7 of the costs' scale they count as zero
    floor = 1e-7 * float(costs.abs().sum())
    numeric = torch.where(numeric.abs() > floor, numeric, 0.0)
    return float(gradient_cosine(analytic[None], numeric[None])[0])


@lru_cache(maxsize=64)
def smoothed_gradient(trial: Trial, sigma: float, samples: int) -> tuple[Tensor, float]:
    """(gradient of E c'z*(theta + s xi) (n,), cosine between the halves of the sample)."""
    n = len(trial.theta)
    s = sigma * float(cost_scale(trial.theta))
    xi = torch.randn(samples, n, generator=seeded("smoothing", n), dtype=torch.float64)
    perturbed = torch.cat([trial.theta + s * xi, trial.theta - s * xi])
    value = trial.problem.solve(perturbed, num_workers=1).decision @ trial.costs
    terms = (value[:samples] - value[samples:])[:, None] * xi / (2 * s)
    first, second = terms[: samples // 2].mean(0), terms[samples // 2 :].mean(0)
    return terms.mean(0), float(gradient_cosine(first[None], second[None])[0])
