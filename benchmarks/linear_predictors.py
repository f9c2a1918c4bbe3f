"""Data, methods and training loop of `benchmarks.predict_then_optimize`: a linear model learns costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.layer_peers import qpth_layer
from datamodules.polynomial_costs import LearningTask, grid_paths, knapsack_values, tour_lengths
from diffcomb import DecisionLayer, RegretLoss, SmoothedSPOPlusLoss
from diffcomb.losses import CostMSELoss, PerturbedFenchelYoungLoss, PerturbedSPOPlusLoss, SPOPlusLoss
from diffcomb.metrics import normalized_regret
from diffcomb.problems import Problem, TravelingSalesman
from diffcomb.relaxations import NegativeIdentity

TASKS: dict[str, Callable[..., LearningTask]] = {
    "sp5x5": grid_paths,
    "knap32x2": knapsack_values,
    "tsp20": tour_lengths,
}
SIZE = 1000
BATCH_SIZE = 32
QPTH = "qpth, rho=mean|c|"


@dataclass(frozen=True)
class Data:
    """Signed costs and optimal decisions of `SIZE` training and as many test instances."""

    name: str
    problem: Problem
    x: Tensor
    c: Tensor
    z: Tensor
    x_test: Tensor
    c_test: Tensor
    optimum: Tensor

    @staticmethod
    def draw(name: str, seed: int) -> Data:
        task = TASKS[name](2 * SIZE, seed=seed)
        x, c = torch.from_numpy(task.features), torch.from_numpy(task.costs).double()
        # as the public files: one fixed shuffle decides who trains
        order = torch.randperm(2 * SIZE, generator=torch.Generator().manual_seed(0))
        x, c = x[order], c[order]
        z = task.problem.solve(c).decision
        optimum = (c * z).sum(-1)[SIZE:]
        return Data(name, task.problem, x[:SIZE], c[:SIZE], z[:SIZE], x[SIZE:], c[SIZE:], optimum)

    def regret(self, weight: Tensor, bias: Tensor, rows: slice | None = None) -> float:
        """Of the decisions for costs weight x + bias, on the test set or on training `rows`."""
        x, c, optimum = self.x_test, self.c_test, self.optimum
        if rows is not None:
            x, c = self.x[rows], self.c[rows]
            optimum = (c * self.z[rows]).sum(-1)
        decided = self.problem.solve(x @ weight.double().T + bias.double()).decision
        return float(normalized_regret((c * decided).sum(-1), optimum))

    def least_squares(self) -> float:
        """Test regret of the closed form that two-stage training converges to."""
        design = torch.cat([self.x, torch.ones(SIZE, 1).double()], 1)
        solution = torch.linalg.lstsq(design, self.c).solution
        return self.regret(solution[:-1].T, solution[-1])


@dataclass(frozen=True)
class Fit:
    """A trained linear model and CPU seconds of each epoch."""

    weight: Tensor
    bias: Tensor
    seconds: np.ndarray


@dataclass(frozen=True)
class Job:
    """One training run; `held_out`: training rows [first, last) that it does not see."""

    method: str
    lr: float
    seed: int
    epochs: int
    held_out: tuple[int, int] = (0, 0)

    @property
    def rows(self) -> np.ndarray:
        first, last = self.held_out
        return np.concatenate([np.arange(first), np.arange(last, SIZE)])


class _QpthRegret(nn.Module):
    """Regret of x_rho at rho = mean|c| through qpth's layer."""

    needs = ("costs",)

    def __init__(self, data: Data, rho: float) -> None:
        super().__init__()
        self.layer, self.rho = qpth_layer(data.problem.polytope()), rho

    def forward(self, theta: Tensor, costs: Tensor) -> Tensor:
        x: Tensor = self.layer(theta.double() / self.rho)
        return (x * costs).sum(-1).mean()


def our_methods(data: Data) -> dict[str, float]:
    """name -> exact oracle calls per instance and epoch."""
    calls = {
        "two-stage": 0.0,
        "smoothed SPO+": 0.0,
        "smoothed SPO+, rho=mean|c|": 0.0,
        "regret, rho=auto": 0.0,
        "regret, rho=mean|c|": 0.0,
        "SPO+": 1.0,
        "PFYL": 1.0,
        "NID": 1.0,
    }
    # four exact tours per step would be the longest run of all
    if isinstance(data.problem, TravelingSalesman):
        return calls
    return calls | {"PFYL, 4 samples": 4.0, "perturbed SPO+, 4 samples": 4.0}


def make_loss(data: Data, method: str) -> nn.Module:
    """A fresh loss: controllers and noise start anew."""
    problem, scale = data.problem, float(data.c.abs().mean())

    def relaxed(rho: float | str) -> DecisionLayer:
        # the rows known from the start: subtours play no part in training
        return DecisionLayer(problem, decision="relaxed", lazy_rows=False, rho=rho)

    exact = DecisionLayer(problem, num_workers=1)

    def perturbed(samples: int) -> nn.Module:
        # sigma = 1 in the unit of the costs, as PyEPO's
        return PerturbedFenchelYoungLoss(exact, num_samples=samples, kind="absolute")

    makers: dict[str, Callable[[], nn.Module]] = {
        "two-stage": CostMSELoss,
        "smoothed SPO+": lambda: SmoothedSPOPlusLoss(relaxed("auto")),
        "smoothed SPO+, rho=mean|c|": lambda: SmoothedSPOPlusLoss(relaxed(scale)),
        "regret, rho=auto": lambda: RegretLoss(relaxed("auto")),
        "regret, rho=mean|c|": lambda: RegretLoss(relaxed(scale)),
        "SPO+": lambda: SPOPlusLoss(exact),
        "PFYL": lambda: perturbed(1),
        "PFYL, 4 samples": lambda: perturbed(4),
        "perturbed SPO+, 4 samples": lambda: PerturbedSPOPlusLoss(exact, scale, 4, kind="absolute"),
        "NID": lambda: RegretLoss(NegativeIdentity(problem)),
        QPTH: lambda: _QpthRegret(data, scale),
    }
    return makers[method]()


def train(data: Data, job: Job) -> Fit:
    """Adam on a linear model; `pyepo_peer.train` is the same loop."""
    torch.manual_seed(job.seed)
    loss = make_loss(data, job.method)
    x, fields = data.x.float(), {"costs": data.c.float(), "decisions": data.z.float()}
    model = nn.Linear(x.shape[1], data.problem.num_costs)
    optimizer = torch.optim.Adam(model.parameters(), lr=job.lr)
    needs: tuple[str, ...] = loss.needs  # type: ignore[assignment]
    rows = torch.from_numpy(job.rows)
    seconds = []
    for _ in range(job.epochs):
        order = rows[torch.randperm(len(rows))]
        start = time.process_time()
        for batch in order.split(BATCH_SIZE):
            optimizer.zero_grad()
            loss(model(x[batch]), *(fields[name][batch] for name in needs)).backward()
            optimizer.step()
        seconds.append(time.process_time() - start)
    return Fit(model.weight.detach(), model.bias.detach(), np.array(seconds))
