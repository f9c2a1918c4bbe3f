"""Rounds of solve, price, separate until the bound stalls."""

from __future__ import annotations

import time

import numpy as np

from diffcomb.oracles.tsp.combs import violated_combs
from diffcomb.oracles.tsp.cuts import Cut, subtour
from diffcomb.oracles.tsp.linear_program import TourProgram
from diffcomb.problems.subtour import violated_sets


def separate_subtours(program: TourProgram) -> list[Cut]:
    """Violated subtour rows at the program's x, from exact minimum cuts."""
    support = program.x > 1e-9
    sets = violated_sets(
        program.num_cities, program.tails[support], program.heads[support], program.x[support], 1e-6
    )
    return program.fresh([subtour(inside) for inside in sets])


def separate_combs(program: TourProgram) -> list[Cut]:
    """Violated combs at the program's x, teeth from the rows that are tight there."""
    support = program.x > 1e-9
    tails, heads, x = program.tails[support], program.heads[support], program.x[support]
    single = [cut.sets[0] for cut in program.cuts if len(cut.sets) == 1]
    tight = np.array(single, dtype=bool).reshape(-1, program.num_cities)
    if len(tight):
        value = (tight[:, tails] != tight[:, heads]) @ x
        tight = tight[value < 2.5]
    return program.fresh(violated_combs(program.num_cities, tails, heads, x, tight))


def tighten(
    program: TourProgram,
    upper: float,
    tolerance: float,
    deadline: float,
    *,
    price: bool,
    rounds: int,
    patience: int = 3,
) -> tuple[float, bool]:
    """The bound after cuts, and whether x satisfies all subtour rows (and so is a tour if integral).

    Args:
        upper: stop once the bound reaches upper - tolerance.
        price: also price all edges into the program (at the root, while nothing is fixed).
        rounds: of combs at most; subtours are separated until none is left.
        patience: rounds of combs in a row that may lift the bound by less than 2 % of the gap.
    """
    bound, stalled, comb_rounds = -np.inf, 0, 0
    while True:
        value = program.solve(deadline)
        if not program.solved:
            return bound, False
        if value == np.inf:
            return np.inf, False
        cuts = separate_subtours(program) or program.violated_pool_cuts()
        if not cuts and price:
            reduced = program.reduced_costs()
            reduced[program.columns] = 0.0
            entering = np.flatnonzero(reduced < -1e-9)
            if len(entering):
                best = entering[np.argsort(reduced[entering], kind="stable")[: 5 * program.num_cities]]
                program.add_columns(best)
                continue
        complete = not cuts
        if value >= upper - tolerance and (complete or not price):
            return value, complete
        if time.perf_counter() > deadline:
            return (value if complete or not price else bound), complete
        if complete:
            gap = max(upper - value, 1e-12)
            stalled = stalled + 1 if value < bound + 0.02 * gap else 0
            bound = max(bound, value)
            if stalled >= patience or comb_rounds >= rounds:
                return value, True
            comb_rounds += 1
            cuts = separate_combs(program)
            if price:
                program.drop_slack_cuts()
        if not program.add_cuts(cuts):
            return value, complete
