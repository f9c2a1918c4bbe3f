"""Real TSPLIB instances for evaluate.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diffcomb.data import tsplib_optima
from diffcomb.errors import InvalidInstanceError
from diffcomb.problems import Problem, TravelingSalesman


@dataclass(frozen=True)
class BenchmarkInstance:
    """A problem with its own costs, and the best known value if there is one."""

    name: str
    problem: Problem
    best_known: float | None


class TsplibInstances:
    """The TSPLIB files `names` in `folder`/tsplib, read one at a time.

    Args:
        names: without extension, e.g. ["berlin52"]; empty = every file present.
        folder: data folder, by default $DIFFCOMB_DATA.
    """

    def __init__(self, names: list[str], folder: str) -> None:
        self.folder = Path(folder) / "tsplib"
        self.names = list(names) or sorted(path.stem for path in self.folder.glob("*.tsp"))
        if not self.names:
            raise InvalidInstanceError(
                f"No TSPLIB files in {self.folder}; set DIFFCOMB_DATA, or fetch them with"
                " `python -m diffcomb.data tsplib`."
            )

        missing = [name for name in self.names if not (self.folder / f"{name}.tsp").is_file()]
        if missing:
            raise InvalidInstanceError(
                f"There is no {missing[0]}.tsp in {self.folder}; fetch it with"
                " `python -m diffcomb.data tsplib`."
            )

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[BenchmarkInstance]:
        optima = tsplib_optima()
        for name in self.names:
            problem = TravelingSalesman.from_tsplib(self.folder / f"{name}.tsp")
            yield BenchmarkInstance(name, problem, optima.get(name))
