"""The names of all oracles: the backends, and the dedicated algorithms of all problem classes."""

from __future__ import annotations

from typing import Any

from diffcomb.oracles import backend_names
from diffcomb.problems.problem import Problem


def every_oracle_name(*, exact_only: bool = False) -> list[str]:
    """Backends first; heuristics left out if asked for. Classes of the user's own are found, too."""
    names = backend_names()
    pending: list[Any] = [Problem]
    while pending:
        kind = pending.pop(0)
        pending += kind.__subclasses__()
        for oracle in kind.oracles:
            if getattr(oracle, "exact", True) or not exact_only:
                names.append(oracle.name)
    return list(dict.fromkeys(names))
