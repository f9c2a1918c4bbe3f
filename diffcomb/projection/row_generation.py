"""Project, separate, add, project again: the one loop over lazily found rows.

Rows live in a pool that is kept between calls. Every instance carries its own of them: those tight at its
last point and those that point violated. The minimum only rises from round to round, so rows that have
become slack are left behind and nothing repeats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np

from diffcomb.errors import SolveFailedError
from diffcomb.program import Rows
from diffcomb.projection.row_pool import RowPool

_MAX_ROUNDS = 1000
#: rows an instance takes from the pool at once, and as many as it carries if those are more: where
#: thousands of rows are tight, rounds must not be as many
_MOST_ROWS = 20
#: and where the pool has fewer than this share of those carried, new ones are separated
_FEW = 0.2
_NOTHING = np.zeros(0, dtype=np.int64)


class Group(Protocol):
    """Some instances of a batch, solved over the rows each carries."""

    @property
    def members(self) -> np.ndarray: ...

    @property
    def x(self) -> np.ndarray: ...

    def tight(self, instance: int) -> np.ndarray:
        """Places in the pool of the rows that hold with equality."""
        ...


G = TypeVar("G", bound=Group)

#: (members, rows carried by each) -> their solution
Solve = Callable[[np.ndarray, list[np.ndarray]], G]
#: a member and the rows it would carry -> its solution over all rows at once, or None: it goes on here
TakeAll = Callable[[int, np.ndarray], G | None]


def generate_rows(
    count: int,
    pool: RowPool,
    solve: Solve[G],
    separate: Callable[[np.ndarray], Rows],
    split: Callable[[G, np.ndarray], G],
    take_all: TakeAll[G] | None = None,
) -> list[G]:
    """Groups that together solve `count` instances; none of their points violates a row.

    Args:
        separate: x (n,) -> rows it violates, over the coordinates of the pool.
        split: a group and places in it -> the group of those instances.

    Raises:
        SolveFailedError: rows come back that the point satisfies, or too many rounds.
    """
    members, carried = np.arange(count), [_NOTHING] * count
    groups: list[G] = []
    for _ in range(_MAX_ROUNDS):
        solved = solve(members, carried)
        wanted = _violated(pool, separate, solved.x, carried)
        again = [k for k, places in enumerate(wanted) if len(places)]
        if len(again) < len(members):
            done = np.setdiff1d(np.arange(len(members)), again)
            groups.append(split(solved, done) if again else solved)
        if any(np.isin(wanted[k], carried[k]).all() for k in again):
            raise SolveFailedError(
                "Separation returned rows that the point satisfies already; its tolerance must be larger"
                " than 1e-10."
            )
        rows = {int(members[k]): np.union1d(solved.tight(k), wanted[k]) for k in again}
        if take_all is not None:
            for member in list(rows):
                alone = take_all(member, rows[member])
                if alone is not None:
                    groups.append(alone)
                    del rows[member]
        members, carried = np.array(list(rows), dtype=np.int64), list(rows.values())
        if not len(members):
            break
    else:
        raise SolveFailedError(f"Separation did not finish within {_MAX_ROUNDS} rounds.")
    tight = [group.tight(k) for group in groups for k in range(len(group.members))]
    pool.purge(np.unique(np.concatenate(tight)) if tight else _NOTHING)
    return groups


def _violated(
    pool: RowPool, separate: Callable[[np.ndarray], Rows], x: np.ndarray, carried: list[np.ndarray]
) -> list[np.ndarray]:
    """Per x, places of violated rows: from the pool, and by separation where it has few."""
    wanted = pool.violated(x, [max(_MOST_ROWS, len(places)) for places in carried])
    for k, places in enumerate(wanted):
        if len(places) <= _FEW * len(carried[k]):
            rows = separate(x[k])
            if len(rows):
                wanted[k] = np.union1d(places, pool.add(rows))
    return wanted
