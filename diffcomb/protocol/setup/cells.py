"""The unit of work that is done once: one method, one group of measurements, one instance."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass

from diffcomb.protocol.setup.settings import ProtocolConfig

#: raise when measurements change meaning, so that finished cells of older code are not taken over
_FORMAT = 1


@dataclass(frozen=True)
class Cell:
    """size: a number, or the name of a benchmark file (then trial is 0)."""

    problem: str
    size: str
    trial: int
    method: str
    group: str

    def key(self, settings: ProtocolConfig) -> str:
        """File name of the finished cell: it changes with every setting that its numbers depend on."""
        what = {
            "format": _FORMAT,
            "cell": dataclasses.astuple(self),
            "method": settings.methods.get(self.method),
            "oracle": dataclasses.asdict(settings.oracle),
            "seed": settings.seed,
            "time_limit": settings.time_limit,
            "gradient": dataclasses.asdict(settings.gradient) if self.group == "gradient" else None,
            "overhead": dataclasses.asdict(settings.overhead) if self.group == "overhead" else None,
            "end_to_end": dataclasses.asdict(settings.end_to_end) if self.group == "end_to_end" else None,
            "ratios": settings.ratios if self.group == "rho_sweep" else None,
        }
        digest = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()[:12]
        return f"{self.problem}-{self.size}-{self.trial}-{self.group}-{self.method}-{digest}"
