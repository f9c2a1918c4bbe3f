"""Makespans, bounds and proofs on the public job-shop instances.

python -m benchmarks.jobshop --time-limit 60 --only ft la0 ta01 --generated 50x50
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from pathlib import Path

import torch

from diffcomb.problems import JobShop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--time-limit", type=float, default=60.0, help="wall-clock seconds per instance")
    parser.add_argument("--only", nargs="*", default=[], help="instances whose name starts with one of these")
    parser.add_argument("--generated", nargs="*", default=[], help="generated instances, JOBSxMACHINES")
    parser.add_argument("--seed", type=int, default=0, help="of the oracle and of generated instances")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("DIFFCOMB_DATA", "data")))
    arguments = parser.parse_args()
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
