"""PyEPO's own benchmark, with its methods and ours in one run: `python -m benchmarks.predict_then_optimize`.

A linear model learns the costs of shortest paths (5 x 5 grid), knapsacks (32 items, 2 rows) and tours (20
cities) from 5 features; same batch size, optimiser (Adam) and epochs for all, learning rates tuned for each
method on a fifth of the training set. Printed: normalized test regret over seeds of initialisation and
order, CPU seconds an epoch of one thread, exact oracle calls per instance and epoch. `least squares` is the
closed form that two-stage training converges to.

Data are drawn by PyEPO's documented generators; --draw 42 gives the instances of its public files. PyEPO
runs in a process of its own: `pip install pyepo` beside diffcomb, or --python of another environment.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.layer_peers import HAS_QPTH, qpth_layer
from datamodules.polynomial_costs import LearningTask, grid_paths, knapsack_values, tour_lengths
from diffcomb import DecisionLayer, RegretLoss, SmoothedSPOPlusLoss
from diffcomb.losses import CostMSELoss, PerturbedFenchelYoungLoss, SPOPlusLoss
from diffcomb.metrics import normalized_regret
from diffcomb.problems import Knapsack, Problem
from diffcomb.relaxations import NegativeIdentity

TASKS: dict[str, Callable[..., LearningTask]] = {
    "sp5x5": grid_paths,
    "knap32x2": knapsack_values,
    "tsp20": tour_lengths,
}
KINDS = {"sp5x5": "grid", "knap32x2": "knapsack", "tsp20": "tsp"}
RATES = (0.01, 0.03, 0.1)
BATCH_SIZE = 32
PEERS = ("PyEPO SPO+", "PyEPO PFYL")
SIZE = 1000


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


@dataclass(frozen=True)
class Fit:
    """A trained linear model and CPU seconds of each epoch."""

    weight: Tensor
    bias: Tensor
    seconds: np.ndarray


Job = dict[str, float | int | str]


def our_losses(data: Data) -> dict[str, tuple[nn.Module, float]]:
    """name -> (loss, exact oracle calls per instance and epoch)."""
    problem = data.problem
    # the rows known from the start: subtours play no part in training
    relaxed = DecisionLayer(problem, decision="relaxed", lazy_rows=False)
    return {
        "two-stage": (CostMSELoss(relaxed), 0.0),
        "smoothed SPO+": (SmoothedSPOPlusLoss(relaxed), 0.0),
        "regret, rho=auto": (RegretLoss(DecisionLayer(problem, decision="relaxed", lazy_rows=False)), 0.0),
        # outside training mode "auto" is mean|theta|, with no controller
        "regret, rho=mean": (
            RegretLoss(DecisionLayer(problem, decision="relaxed", lazy_rows=False).eval()),
            0.0,
        ),
        "SPO+": (SPOPlusLoss(DecisionLayer(problem, num_workers=1)), 1.0),
        "PFYL": (PerturbedFenchelYoungLoss(DecisionLayer(problem, num_workers=1)), 1.0),
        "NID": (RegretLoss(NegativeIdentity(problem)), 1.0),
    }


def train(data: Data, loss: nn.Module, job: Job) -> Fit:
    """The loop that every method shares."""
    torch.manual_seed(int(job["seed"]))
    x, fields = data.x.float(), {"costs": data.c.float(), "decisions": data.z.float()}
    model = nn.Linear(x.shape[1], data.problem.num_costs)
    optimizer = torch.optim.Adam(model.parameters(), lr=float(job["lr"]))
    needs: tuple[str, ...] = loss.needs  # type: ignore[assignment]
    seconds = []
    for _ in range(int(job["epochs"])):
        order = torch.randperm(int(job["rows"]))
        start = time.process_time()
        for batch in order.split(int(job["batch_size"])):
            optimizer.zero_grad()
            loss(model(x[batch]), *(fields[name][batch] for name in needs)).backward()
            optimizer.step()
        seconds.append(time.process_time() - start)
    return Fit(model.weight.detach(), model.bias.detach(), np.array(seconds))


def train_ours(data: Data, jobs: list[Job]) -> list[Fit]:
    fits = []
    for job in jobs:
        loss, _ = our_losses(data)[str(job["method"])]
        fits.append(train(data, loss, job))
    return fits


def train_pyepo(data: Data, jobs: list[Job], python: str) -> list[Fit]:
    """The same jobs by PyEPO, in a process of its own."""
    problem = data.problem
    arrays = {"x": data.x.numpy(), "c": data.c.numpy(), "w": data.z.numpy()}
    if isinstance(problem, Knapsack):
        arrays |= {"weights": problem.weights, "capacity": problem.capacity}
    arrays |= {"grid": np.array([5, 5]), "num_cities": np.array(20)}
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: str(Path(folder, name)) for name in ("data.npz", "out.npz", "jobs.json")}
        np.savez(paths["data.npz"], **arrays)  # type: ignore[arg-type]
        task = {"data": paths["data.npz"], "out": paths["out.npz"], "kind": KINDS[data.name], "jobs": jobs}
        Path(paths["jobs.json"]).write_text(json.dumps(task))
        script = str(Path(__file__).with_name("pyepo_peer.py"))
        run = subprocess.run([python, script, paths["jobs.json"]], capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"PyEPO failed: {run.stderr.strip().splitlines()[-1]}")
        out = dict(np.load(paths["out.npz"]))
    return [
        Fit(torch.from_numpy(out[f"{k}/weight"]), torch.from_numpy(out[f"{k}/bias"]), out[f"{k}/seconds"])
        for k in range(len(jobs))
    ]


def tuned(data: Data, method: str, epochs: int, fit: Callable[[list[Job]], list[Fit]]) -> float:
    """The learning rate with the least regret on the last fifth of the training set."""
    held_out = slice(SIZE * 4 // 5, SIZE)
    jobs = [job_of(method, rate, 0, epochs, held_out.start) for rate in RATES]
    regrets = [data.regret(one.weight, one.bias, held_out) for one in fit(jobs)]
    return RATES[int(np.argmin(regrets))]


def job_of(method: str, rate: float, seed: int, epochs: int, rows: int = SIZE) -> Job:
    return {
        "method": method,
        "lr": rate,
        "seed": seed,
        "epochs": epochs,
        "rows": rows,
        "batch_size": BATCH_SIZE,
    }


def least_squares(data: Data) -> float:
    """Test regret of the closed form."""
    design = torch.cat([data.x, torch.ones(SIZE, 1).double()], 1)
    solution = torch.linalg.lstsq(design, data.c).solution
    return data.regret(solution[:-1].T, solution[-1])


def qpth_seconds(data: Data) -> float | None:
    """CPU seconds an epoch of regret through qpth's layer at rho = mean|c|, timed on one batch."""
    if not HAS_QPTH or data.problem.num_costs > 100:
        return None
    layer, scale = qpth_layer(data.problem.polytope()), float(data.c.abs().mean())
    theta = data.c[:BATCH_SIZE].clone().requires_grad_()
    start = time.process_time()
    (layer(theta / scale) * data.c[:BATCH_SIZE]).sum().backward()
    return (time.process_time() - start) * SIZE / BATCH_SIZE


def rows_of(data: Data, epochs: int, seeds: int, python: str | None) -> Iterator[tuple[str, str]]:
    """(method, line of the table); PyEPO first, for the ratios."""
    base: float | None = None
    yield "least squares", f"{'':>7}{least_squares(data):9.4f}"
    methods = [*(PEERS if python else ()), *our_losses(data)]
    for method in methods:
        is_peer = method in PEERS

        def fit(jobs: list[Job], peer: bool = is_peer) -> list[Fit]:
            return train_pyepo(data, jobs, str(python)) if peer else train_ours(data, jobs)

        rate = tuned(data, method, epochs, fit)
        fits = fit([job_of(method, rate, seed, epochs) for seed in range(seeds)])
        regrets = np.array([data.regret(one.weight, one.bias) for one in fits])
        seconds = float(np.median(np.concatenate([one.seconds for one in fits])))
        if method == PEERS[0]:
            base = seconds
        calls = 1.0 if is_peer else our_losses(data)[method][1]
        faster = f"{base / seconds:8.1f}x" if base else f"{'-':>9}"
        spread = regrets.std(ddof=1) if seeds > 1 else 0.0
        yield (
            method,
            f"{rate:7g}{regrets.mean():9.4f} ± {spread:.4f}{1e3 * seconds:12.1f}{faster}{calls:8.1f}",
        )
    seconds_of_qpth = qpth_seconds(data)
    if seconds_of_qpth is not None:
        faster = f"{base / seconds_of_qpth:8.2f}x" if base else ""
        yield "qpth layer (one batch)", f"{'':7}{'':18}{1e3 * seconds_of_qpth:12.1f}{faster}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--draw", type=int, default=42, help="seed of the data; 42: the public files")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has PyEPO")
    parser.add_argument("--without-pyepo", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    python = None if arguments.without_pyepo else arguments.python
    if python and subprocess.run([python, "-c", "import pyepo"], capture_output=True).returncode:
        sys.exit("PyEPO is not installed there: pip install pyepo, or give --python, or --without-pyepo.")
    for name in arguments.tasks:
        data = Data.draw(name, arguments.draw)
        print(f"\n{name}, data of seed {arguments.draw}, {arguments.epochs} epochs, {arguments.seeds} seeds")
        print(
            f"{'method':24}{'rate':>7}{'test regret':>18}{'ms/epoch':>12}{'SPO+/this':>9}{'calls':>8}",
            flush=True,
        )
        for method, line in rows_of(data, arguments.epochs, arguments.seeds, python):
            print(f"{method:24}{line}", flush=True)


if __name__ == "__main__":
    main()
