"""The options of a layer, checked once and handed on whole."""

from __future__ import annotations

from dataclasses import dataclass, field

from diffcomb.errors import UnknownNameError
from diffcomb.oracles import Limits
from diffcomb.projection import check_solver

DECISIONS = ("exact", "relaxed")
GRADIENTS = ("auto", "relaxed", "remainder", "blend")
CERTIFICATES = ("none", "exact", "threshold")


@dataclass(frozen=True)
class LayerSettings:
    """How a layer decides and differentiates; see `DecisionLayer`.

    Raises:
        UnknownNameError: a name that does not exist. UnsupportedError: options that exclude each other.
    """

    solver: str = "kkt"
    decision: str = "exact"
    gradient: str = "auto"
    backward: str = "cholesky"
    lazy_rows: bool = True
    certify: str = "none"
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        for name, known in (("decision", DECISIONS), ("gradient", GRADIENTS), ("certify", CERTIFICATES)):
            if getattr(self, name) not in known:
                raise UnknownNameError(
                    f"Unknown {name} {getattr(self, name)!r}; choose one of {', '.join(known)}."
                )
        check_solver(self.solver, self.backward, lazy_rows=self.lazy_rows)
