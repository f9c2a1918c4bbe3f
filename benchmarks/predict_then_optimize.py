"""PyEPO's own benchmark, with its methods and ours in one run: `python -m benchmarks.predict_then_optimize`.

A linear model learns the costs of shortest paths (5 x 5 grid), knapsacks (32 items, 2 rows) and tours (20
cities) from 5 features; same batch size, optimiser (Adam) and epochs for all. Every method's learning rate,
PyEPO's as ours, is the one with the least regret on held-out fifths of the training set, and so is each
side's best method: nothing is chosen on the test set. Printed: that held-out regret; normalized test regret
over seeds of initialisation and order; CPU seconds an epoch of one thread, and PyEPO's SPO+ over them; exact
oracle calls per instance and epoch. `least squares` is the closed form that two-stage training converges
to; `qpth`, one seed at the rate of our `regret, rho=mean|c|`, the same gradient by qpth's own layer.

Data are drawn by PyEPO's documented generators; --draw 42 gives the instances of its public files. Rates to
choose from were set on draws 100 and 101. PyEPO runs in a process of its own: `pip install pyepo` beside
diffcomb, or --python of another environment.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.layer_peers import HAS_QPTH
from benchmarks.linear_predictors import BATCH_SIZE, QPTH, SIZE, TASKS, Data, Fit, Job, our_methods, train
from diffcomb.problems import Knapsack

KINDS = {"sp5x5": "grid", "knap32x2": "knapsack", "tsp20": "tsp"}
RATES = {"sp5x5": (0.001, 0.003, 0.01, 0.03), "knap32x2": (0.01, 0.03, 0.1), "tsp20": (0.03, 0.1, 0.3)}
PEERS = ("PyEPO SPO+", "PyEPO PFYL")
FIFTHS = 5


@dataclass(frozen=True)
class Row:
    """One method: the rate and its held-out regret, test regrets by seed, CPU seconds an epoch."""

    method: str
    rate: float
    held_out: float
    regrets: np.ndarray
    seconds: float
    calls: float

    def line(self, base: float | None) -> str:
        spread = self.regrets.std(ddof=1) if len(self.regrets) > 1 else float("nan")
        held_out = f"{self.held_out:.4f}" if np.isfinite(self.held_out) else "-"
        faster = f"{base / self.seconds:.2f}x" if base else "-"
        return (
            f"{self.method:27}{self.rate:6g}{held_out:>10}{self.regrets.mean():9.4f} ± {spread:.4f}"
            f"{1e3 * self.seconds:11.1f}{faster:>9}{self.calls:7.0f}"
        )


def run_pyepo(data: Data, python: str, kind: str, jobs: list[Job], solves: int = 0) -> dict[str, np.ndarray]:
    """What `pyepo_peer` answers, from a process of its own."""
    problem = data.problem
    arrays = {"x": data.x.numpy(), "c": data.c.numpy(), "w": data.z.numpy()}
    if isinstance(problem, Knapsack):
        arrays |= {"weights": problem.weights, "capacity": problem.capacity}
    arrays |= {"grid": np.array([5, 5]), "num_cities": np.array(20)}
    orders = [vars(job) | {"rows": job.rows.tolist(), "batch_size": BATCH_SIZE} for job in jobs]
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: str(Path(folder, name)) for name in ("data.npz", "out.npz", "jobs.json")}
        np.savez(paths["data.npz"], **arrays)  # type: ignore[arg-type]
        task = {"data": paths["data.npz"], "out": paths["out.npz"], "kind": kind, "jobs": orders}
        Path(paths["jobs.json"]).write_text(json.dumps(task | ({"solves": solves} if solves else {})))
        script = str(Path(__file__).with_name("pyepo_peer.py"))
        run = subprocess.run([python, script, paths["jobs.json"]], capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"PyEPO failed: {run.stderr.strip().splitlines()[-1]}")
        return dict(np.load(paths["out.npz"]))


def train_pyepo(data: Data, jobs: list[Job], python: str) -> list[Fit]:
    """The same jobs by PyEPO."""
    out = run_pyepo(data, python, KINDS[data.name], jobs)
    return [
        Fit(torch.from_numpy(out[f"{k}/weight"]), torch.from_numpy(out[f"{k}/bias"]), out[f"{k}/seconds"])
        for k in range(len(jobs))
    ]


def open_source_tours(data: Data, python: str, solves: int = 8) -> str:
    """PyEPO's only path to tours without Gurobi, beside two epochs of ours, in CPU seconds an epoch."""
    theirs = run_pyepo(data, python, "tsp open source", [], solves)["solves"].mean() * SIZE
    ours = {name: train(data, Job(name, 0.1, 0, 4)).seconds[-1] for name in ("SPO+", "smoothed SPO+")}
    ratios = ", ".join(f"{name} {theirs / seconds:.0f}x faster" for name, seconds in ours.items())
    return f"PyEPO by Pyomo and HiGHS, solves alone, from {solves} of {SIZE}: {theirs:.0f} s; {ratios}"


def fit_all(data: Data, jobs: list[Job], python: str | None) -> list[Fit]:
    if jobs[0].method in PEERS:
        return train_pyepo(data, jobs, str(python))
    return [train(data, job) for job in jobs]


def tuned(data: Data, method: str, epochs: int, folds: int, python: str | None) -> tuple[float, float]:
    """(rate, regret) with the least mean regret on the last `folds` fifths of the training set, each
    held out in turn."""
    size = SIZE // FIFTHS
    held_out = [(SIZE - (k + 1) * size, SIZE - k * size) for k in range(folds)]
    rates = RATES[data.name]
    jobs = [Job(method, rate, 0, epochs, rows) for rate in rates for rows in held_out]
    regrets = [
        data.regret(one.weight, one.bias, slice(*job.held_out))
        for job, one in zip(jobs, fit_all(data, jobs, python), strict=True)
    ]
    means = np.array(regrets).reshape(len(rates), folds).mean(1)
    return rates[int(np.argmin(means))], float(means.min())


def rows_of(data: Data, epochs: int, seeds: int, folds: int, python: str | None) -> Iterator[Row]:
    """PyEPO first, for the ratios."""
    ours = our_methods(data)
    for method in [*(PEERS if python else ()), *ours]:
        rate, held_out = tuned(data, method, epochs, folds, python)
        fits = fit_all(data, [Job(method, rate, seed, epochs) for seed in range(seeds)], python)
        yield _row(data, method, rate, held_out, fits, ours.get(method, 1.0))
        if method == "regret, rho=mean|c|" and HAS_QPTH and data.problem.num_costs <= 100:
            yield _row(data, QPTH, rate, np.nan, [train(data, Job(QPTH, rate, 0, epochs))], 0.0)


def _row(data: Data, method: str, rate: float, held_out: float, fits: list[Fit], calls: float) -> Row:
    regrets = np.array([data.regret(one.weight, one.bias) for one in fits])
    seconds = float(np.median(np.concatenate([one.seconds for one in fits])))
    return Row(method, rate, held_out, regrets, seconds, calls)


def verdict(rows: list[Row]) -> Iterator[str]:
    """Each side's method with the least held-out regret, and what it does on the test set."""
    for side, names in (("PyEPO", PEERS), ("ours", our_methods_of(rows))):
        candidates = [row for row in rows if row.method in names]
        if candidates:
            best = min(candidates, key=lambda row: row.held_out)
            yield f"{side}: {best.method}, test regret {best.regrets.mean():.4f}"


def our_methods_of(rows: list[Row]) -> tuple[str, ...]:
    return tuple(row.method for row in rows if row.method not in (*PEERS, QPTH))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--epochs", type=int, help="20 by default, tours 10")
    parser.add_argument("--seeds", type=int, help="5 by default, tours 3")
    parser.add_argument("--folds", type=int, help="fifths held out in turn; 5 by default for paths, else 1")
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
        slow = name == "tsp20"
        epochs = arguments.epochs or (10 if slow else 20)
        seeds = arguments.seeds or (3 if slow else 5)
        folds = arguments.folds or (5 if name == "sp5x5" else 1)
        told = f"{epochs} epochs, {seeds} seeds, fifths held out: {folds}"
        print(f"\n{name}, data of seed {arguments.draw}, {told}")
        header = f"{'method':27}{'rate':>6}{'held out':>10}{'test regret':>18}{'ms/epoch':>11}{'faster':>9}"
        print(f"{header}{'calls':>7}\n{'least squares':43}{data.least_squares():9.4f}", flush=True)
        rows: list[Row] = []
        for row in rows_of(data, epochs, seeds, folds, python):
            rows.append(row)
            base = rows[0].seconds if rows[0].method == PEERS[0] else None
            print(row.line(base), flush=True)
        print(f"chosen on held-out instances: {'; '.join(verdict(rows))}", flush=True)
        if slow and python:
            print(open_source_tours(data, python), flush=True)


if __name__ == "__main__":
    main()
