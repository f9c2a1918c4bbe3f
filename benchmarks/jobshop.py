"""Makespans, bounds and proofs on the public job-shop instances.

python -m benchmarks.jobshop --time-limit 60 --only ft la0 ta01 --generated 50x50
python -m benchmarks.jobshop --overhead          what the gradient costs over the discrete solve
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from pathlib import Path
from typing import Any

import torch

from diffcomb import DecisionLayer
from diffcomb.oracles import OracleResult
from diffcomb.problems import JobShop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--time-limit", type=float, default=60.0, help="wall-clock seconds per instance")
    parser.add_argument("--only", nargs="*", default=[], help="instances whose name starts with one of these")
    parser.add_argument("--generated", nargs="*", default=[], help="generated instances, JOBSxMACHINES")
    parser.add_argument("--seed", type=int, default=0, help="of the oracle and of generated instances")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("DIFFCOMB_DATA", "data")))
    parser.add_argument("--overhead", action="store_true", help="time forward + backward over the solve")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.overhead:
        report_overhead()
        return
    JobShop.random(3, 3, ties="any", seed=0).solve(num_workers=1)  # compiles, once in a fresh checkout
    best = best_known(arguments.data / "jobshop" / "instances.csv")
    print(
        f"{'instance':10} {'size':>7} {'makespan':>9} {'bound':>9} {'proven':>6} {'CPU s':>7}"
        f" {'best known':>12} {'above':>7}"
    )
    prefixes = tuple(arguments.only)
    for name, (low, high) in best.items():
        path = arguments.data / "jobshop" / f"{name}.txt"
        wanted = name.startswith(prefixes) if prefixes else not arguments.generated
        if wanted and path.is_file():
            known = f"{high}" if low == high else f"{low}..{high}"
            report(
                name, JobShop.from_file(path, ties="any"), arguments.time_limit, arguments.seed, known, high
            )
    for size in arguments.generated:
        jobs, machines = (int(part) for part in size.split("x"))
        generator = torch.Generator().manual_seed(arguments.seed)
        problem = JobShop.random(jobs, machines, generator=generator, ties="any")
        report("generated", problem, arguments.time_limit, arguments.seed, "-", None)


def report_overhead() -> None:
    """CPU time of forward + backward over that of the exact solve inside the same calls.

    The solve is all of `problem.solve`: the proof and the choice among tied optima, which is part of
    what the decision is. `any` is a solve that leaves ties open, for comparison.
    """
    print(f"{'size':>7} {'any ms':>8} {'solve ms':>9} {'forward + backward ms':>22} {'over the solve':>15}")
    for size, repetitions in (((3, 3), 100), ((6, 5), 100), ((6, 6), 50), ((10, 5), 20), ((10, 10), 5)):
        shop = _TimedShop(JobShop.random(*size, seed=0).machines)
        layer = DecisionLayer(shop, num_workers=1)
        generator = torch.Generator().manual_seed(0)
        weights = torch.rand(shop.num_costs, dtype=torch.float64, generator=generator)
        (layer(shop.random_costs(generator=generator).requires_grad_()) * weights).sum().backward()
        anything = JobShop(shop.machines, ties="any")
        theta = shop.random_costs(repetitions, generator=generator)
        shop.seconds, total, open_ties = 0.0, 0.0, 0.0
        for row in theta:
            costs = row.clone().requires_grad_()
            start = time.process_time()
            (layer(costs) * weights).sum().backward()
            total += time.process_time() - start
            start = time.process_time()
            anything.solve(row, num_workers=1)
            open_ties += time.process_time() - start
        milliseconds = [1e3 * t / repetitions for t in (open_ties, shop.seconds, total)]
        print(
            f"{size[0]:>3}x{size[1]:<3} {milliseconds[0]:8.2f} {milliseconds[1]:9.2f} {milliseconds[2]:22.2f}"
            f" {total / shop.seconds:14.3f}x"
        )


class _TimedShop(JobShop):
    """Adds up the CPU seconds that its own solves take, whoever calls them."""

    seconds = 0.0

    def solve(self, *args: Any, **named: Any) -> OracleResult:
        start = time.process_time()
        result = super().solve(*args, **named)
        self.seconds += time.process_time() - start
        return result


def best_known(path: Path) -> dict[str, tuple[int, int]]:
    """name -> (lower, upper) bound."""
    if not path.is_file():
        return {}
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {row["name"]: (int(row["best_lb"]), int(row["best_ub"])) for row in rows}


def report(name: str, problem: JobShop, limit: float, seed: int, known: str, high: int | None) -> None:
    start = time.process_time()
    result = problem.solve(time_limit=limit, seed=seed, num_workers=1)
    seconds = time.process_time() - start
    value, bound = float(result.value), float(result.bound)
    above = (
        f"{100 * (value / high - 1):6.2f}%" if high else f"{100 * (value / bound - 1):6.2f}% over the bound"
    )
    print(
        f"{name:10} {problem.num_jobs:>3}x{problem.num_machines:<3} {value:9.0f} {bound:9.0f}"
        f" {'yes' if result.is_optimal else 'no':>6} {seconds:7.1f} {known:>12} {above:>7}",
        flush=True,
    )


if __name__ == "__main__":
    main()
