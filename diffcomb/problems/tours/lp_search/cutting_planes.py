"""Rounds of solve, price, separate until the bound stalls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from diffcomb.oracles.clock import Clock
from diffcomb.problems.tours.cuts.combs import violated_combs
from diffcomb.problems.tours.cuts.cuts import Cut, SetCut, cut_values, subtour
from diffcomb.problems.tours.cuts.local_cuts import violated_local_cuts
from diffcomb.problems.tours.lp_search.linear_program import TourProgram
from diffcomb.problems.tours.subtour import violated_sets

#: how neighbourhoods of local cuts are made: (merging, growing), see `violated_local_cuts`
_NEIGHBOURHOODS = tuple((mode, rule) for mode in (0, 1, 2) for rule in (0, 1, 2))


def separate_subtours(program: TourProgram) -> list[Cut]:
    """Violated subtour rows at the program's x, from exact minimum cuts."""
    sets = violated_sets(program.num_cities, *program.support, 1e-6)
    return program.fresh([subtour(inside) for inside in sets])


def separate_combs(program: TourProgram) -> list[Cut]:
    """Violated combs at the program's x, teeth from the rows that are nearly tight there."""
    return program.fresh(violated_combs(program.num_cities, *program.support, _nearly_tight_sets(program)))


def separate_local(program: TourProgram, size: int, clock: Clock | None = None) -> list[Cut]:
    """Violated local cuts with `size` groups at the program's x, as many as time allows."""
    cuts: list[Cut] = []
    edges = (program.tails, program.heads, program.x)
    for mode, rule in _NEIGHBOURHOODS:
        cuts += violated_local_cuts(edges, program.num_cities, size, mode, rule, clock)
        if clock is not None and clock.is_up():
            break
    return program.fresh(cuts)


def _nearly_tight_sets(program: TourProgram) -> np.ndarray:
    """Sets (count, N) of the subtour rows with x(delta(S)) < 2.5."""
    single = [cut.sets[0] for cut in program.cuts if isinstance(cut, SetCut) and len(cut.sets) == 1]
    sets = np.array(single, dtype=bool).reshape(-1, program.num_cities)
    return sets[cut_values(sets, *program.support) < 2.5]


def tighten(
    program: TourProgram,
    upper: float,
    tolerance: float,
    clock: Clock,
    *,
    price: bool,
    rounds: int,
    patience: int = 3,
    sizes: Sequence[int] = (),
) -> tuple[float, bool]:
    """The bound after cuts, and whether x satisfies all subtour rows (and so is a tour if integral).

    Args:
        upper: stop once the bound reaches upper - tolerance.
        price: also price all edges into the program (at the root, while nothing is fixed).
        rounds: of cuts beyond subtours at most; subtours are separated until none is left.
        patience: such rounds in a row that may lift the bound by less than 2 % of the gap; then the
            next of the sizes is tried.
        sizes: of local cuts, ascending; combs alone go before.
    """
    bound, stalled, done = -np.inf, 0, 0
    levels = [0, *sizes]
    while True:
        value = program.solve(clock)
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
        if clock.is_up():
            return (value if complete or not price else bound), complete
        if complete:
            gap = max(upper - value, 1e-12)
            stalled = stalled + 1 if value < bound + 0.02 * gap else 0
            bound = max(bound, value)
            if stalled >= patience:
                levels, stalled = levels[1:], 0
            if done >= rounds:
                return value, True
            done += 1
            while levels and not cuts:
                cuts = separate_combs(program)
                if levels[0]:
                    cuts += separate_local(program, levels[0], clock)
                if not cuts:
                    levels = levels[1:]
            if not levels:
                return value, True
            if price:
                program.drop_slack_cuts()
        if not program.add_cuts(cuts):
            return value, complete
