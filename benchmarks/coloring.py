"""Graph colouring on DIMACS graphs: the fewest colours, or the cheapest colouring with K colours.

    python -m benchmarks.coloring --only "queen*" le450_5a --time-limit 60
    python -m benchmarks.coloring --first 20 --within 5
    python -m benchmarks.coloring --cheapest --only huck jean miles250 queen5_5 myciel5

Reads `coloring/*.col` and the best known bounds of `coloring/instances.csv` under $DIFFCOMB_DATA.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import linprog

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems import GraphColoring, Problem


def instances(patterns: list[str], largest: int | None) -> list[Path]:
    """The .col files whose name matches one of the patterns, by name."""
    folder = Path(os.environ.get("DIFFCOMB_DATA", "data")) / "coloring"
    files = [f for f in sorted(folder.glob("*.col")) if any(fnmatch(f.stem, p) for p in patterns)]
    if not files:
        raise InvalidInstanceError(f"No graph in {folder} matches {' '.join(patterns)}; set DIFFCOMB_DATA.")
    if largest is not None:
        files = [f for f in files if GraphColoring.from_dimacs(f).num_vertices <= largest]
    return files


def best_known(folder: Path) -> dict[str, dict[str, str]]:
    """name -> row of instances.csv; empty when the file is not there."""
    table = folder / "instances.csv"
    if not table.is_file():
        return {}
    with table.open() as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def print_fewest(
    files: list[Path], time_limit: float, seed: int, first: float | None, within: float | None
) -> None:
    """Bounds, proof and seconds next to the best known; `over` is the excess over the best known in %.

    Args:
        first: a search of so many seconds comes first, and is the answer where it proves the optimum or
            comes within `within`; seconds are those of the search that gave the answer.
    """
    print(
        f"{'instance':<16}{'N':>6}{'edges':>8}{'lower':>7}{'colours':>8}  {'proof':<8}"
        f"{'CPU s':>8}{'wall s':>8}{'best':>10}{'over %':>8}"
    )
    for file in files:
        problem = GraphColoring.from_dimacs(file)
        known = best_known(file.parent).get(file.stem, {})
        best = known.get("chi") or known.get("best_ub") or ""
        enough = 0 if within is None or not best else int(int(best) * (1 + within / 100))
        searches = [(time_limit, enough)] if first is None else [(first, 0), (time_limit, enough)]
        for limit, sufficient in searches:
            cpu, wall = time.process_time(), time.perf_counter()
            result = problem.chromatic_number(limit, enough=sufficient, seed=seed)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            if result.is_optimal or int(result.value) <= enough:
                break
        used, bound = int(result.value), int(result.bound)
        interval = best if known.get("chi") else f"{known.get('best_lb') or '?'}..{best or '?'}"
        over = f"{100 * (used / int(best) - 1):.1f}" if best else "-"
        print(
            f"{file.stem:<16}{problem.num_vertices:>6}{len(problem.edges):>8}{bound:>7}{used:>8}  "
            f"{'optimal' if result.is_optimal else 'open':<8}{cpu:>8.2f}{wall:>8.2f}{interval:>10}{over:>8}",
            flush=True,
        )


def print_cheapest(files: list[Path], time_limit: float | None, seed: int, draws: int) -> None:
    """Random costs, means over the draws; `clique gap` is that of the clique relaxation, in %."""
    print(
        f"{'instance':<16}{'N':>6}{'K':>4}{'cliques':>9}{'proven':>8}{'CPU s':>8}{'gap %':>8}"
        f"{'clique gap %':>14}"
    )
    for file in files:
        problem = GraphColoring.from_dimacs(file)
        cliques = problem.clique_rows.family.shape[0]
        costs = problem.random_costs(draws, generator=torch.Generator().manual_seed(seed))
        cpu = time.process_time()
        result = problem.solve(costs, time_limit=time_limit, num_workers=1)
        cpu = (time.process_time() - cpu) / draws
        proven = sum(str(status) == "optimal" for status in result.statuses)
        linear = torch.tensor([relaxation_value(problem, theta) for theta in costs.numpy()])
        clique_gap = float(((result.value - linear) / result.value).mean())
        print(
            f"{file.stem:<16}{problem.num_vertices:>6}{problem.num_colors:>4}{cliques:>9}"
            f"{f'{proven}/{draws}':>8}{cpu:>8.2f}{100 * float(result.gap.mean()):>8.2f}"
            f"{100 * clique_gap:>14.2f}",
            flush=True,
        )


def relaxation_value(problem: Problem, cost: np.ndarray) -> float:
    """min cost'x over the polytope, lazy rows included, by the simplex method."""
    polytope = problem.polytope()
    while True:
        G = polytope.G if len(polytope.h) else None
        answer = linprog(
            cost, G, polytope.h if G is not None else None, polytope.A, polytope.b, (0, 1), "highs"
        )
        rows = polytope.separate(answer.x)
        if not len(rows):
            return float(answer.fun)
        polytope = polytope.with_rows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", default=["*"], metavar="PATTERN", help="names, with wildcards")
    parser.add_argument("--largest", type=int, help="skip graphs with more vertices")
    parser.add_argument(
        "--time-limit",
        type=float,
        default=300.0,
        help="seconds per instance: of CPU time, wall clock with --cheapest",
    )
    parser.add_argument("--first", type=float, metavar="SECONDS", help="a first search, for a proof")
    parser.add_argument("--within", type=float, metavar="PERCENT", help="stop so close to the best known")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cheapest", action="store_true", help="random costs per vertex and colour")
    parser.add_argument("--draws", type=int, default=5, help="cost vectors per graph with --cheapest")
    arguments = parser.parse_args()
    files = instances(arguments.only, arguments.largest)
    if arguments.cheapest:
        print_cheapest(files, arguments.time_limit, arguments.seed, arguments.draws)
    else:
        print_fewest(files, arguments.time_limit, arguments.seed, arguments.first, arguments.within)


if __name__ == "__main__":
    main()
