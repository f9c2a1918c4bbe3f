"""An old checkout against a new one, in turn: `python -m benchmarks.gate --old ../old --new .`

Each checkout runs in a process of its own, on one thread, the same core and the same cases (`cases.py`
beside this file); case by case they take turns, and each keeps its fastest call in CPU seconds. Cases that
are too slow are measured again in fresh processes before they count. The first run in a checkout compiles.

Exit code 1: the median of old/new is below --median, a case below --least, or a case fails in the new one.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.gate.process import Side

#: a case within this of equal is not measured longer
_NEAR = 0.04


class Gate:
    """Fastest calls of both checkouts, by case, in CPU seconds, and what either could not do."""

    def __init__(self, old: Path, new: Path, rounds: int, seconds: float) -> None:
        self.checkouts, self.rounds, self.seconds = (old, new), rounds, seconds
        self.best: tuple[dict[str, float], dict[str, float]] = ({}, {})
        self.errors: tuple[dict[str, str], dict[str, str]] = ({}, {})

    def ratio(self, case: str) -> float:
        """old / new: above 1 the new one is faster."""
        old, new = (side.get(case, np.nan) for side in self.best)
        return old / new

    def measure(self, chosen: Iterable[str] | None = None, words: Iterable[str] = ()) -> list[str]:
        """Time the chosen cases (None: all that have one of the words) in a fresh process each side."""
        with Side(self.checkouts[0]) as old, Side(self.checkouts[1]) as new:
            cases = list(chosen) if chosen is not None else _with_words(old.cases, words)
            for case in cases:
                self._take_turns(case, (old, new))
                print(self._line(case), flush=True)
        return cases

    def _take_turns(self, case: str, sides: tuple[Side, Side]) -> None:
        for turn in range(3 * self.rounds):
            # ABBA, so that a machine that grows slower or faster does so for both
            for k in (0, 1) if turn % 2 == 0 else (1, 0):
                seconds, error = sides[k].time(case, self.seconds)
                if error is not None:
                    self.errors[k][case] = error
                    return
                self.best[k][case] = min(seconds, self.best[k].get(case, np.inf))
            if turn + 1 >= self.rounds and abs(self.ratio(case) - 1) < _NEAR:
                return

    def _line(self, case: str) -> str:
        for word, errors in zip(("old", "new"), self.errors, strict=True):
            if case in errors:
                return f"{case:<38}{word} failed: {errors[case]}"
        old, new = (1e3 * side[case] for side in self.best)
        return f"{case:<38}{old:10.3f}{new:10.3f}{self.ratio(case):10.3f}"


def _with_words(cases: list[str], words: Iterable[str]) -> list[str]:
    asked = list(words)
    return [case for case in cases if not asked or any(word in case for word in asked)]


def run(gate: Gate, words: list[str], median: float, least: float, retries: int) -> bool:
    """Print the table; whether the new checkout passes."""
    print(f"{'case':<38}{'old ms':>10}{'new ms':>10}{'old/new':>10}")
    cases = gate.measure(words=words)
    for attempt in range(retries + 1):
        # what the old one cannot do yet is an addition
        compared = [case for case in cases if not any(case in errors for errors in gate.errors)]
        if not compared:
            print("No case ran in both.")
            return False
        ratios = {case: gate.ratio(case) for case in compared}
        middle = float(np.median(list(ratios.values())))
        slow = [case for case, ratio in ratios.items() if ratio < (least if middle >= median else median)]
        if not slow or attempt == retries:
            break
        print(f"again, in fresh processes: {len(slow)} of {len(compared)}", flush=True)
        gate.measure(slow)
    worst = min(ratios, key=ratios.__getitem__)
    failed = [case for case in gate.errors[1] if case not in gate.errors[0]]
    passed = middle >= median and ratios[worst] >= least and not failed
    print(f"median {middle:.3f} (limit {median}), least {ratios[worst]:.3f} (limit {least}): {worst}")
    for case in failed:
        print(f"fails in the new one: {case}: {gate.errors[1][case]}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{'passed' if passed else 'FAILED'} after {used.ru_utime + used.ru_stime:.0f} CPU seconds")
    return passed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--old", type=Path, required=True, help="checkout to compare with")
    parser.add_argument("--new", type=Path, default=Path(), help="checkout to judge (default: here)")
    parser.add_argument("--median", type=float, default=0.97, help="least median of old/new")
    parser.add_argument("--least", type=float, default=0.85, help="least old/new of any case")
    parser.add_argument("--only", nargs="+", default=[], help="cases whose name contains one of these")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side; thrice as many if unequal")
    parser.add_argument("--seconds", type=float, default=0.05, help="CPU seconds a turn, at least")
    parser.add_argument("--retries", type=int, default=2, help="fresh measurements of what is too slow")
    a = parser.parse_args()
    gate = Gate(a.old.resolve(), a.new.resolve(), a.rounds, a.seconds)
    sys.exit(0 if run(gate, a.only, a.median, a.least, a.retries) else 1)
