"""What the last call of a layer did: `layer.last`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from diffcomb.oracles import Status


@dataclass(frozen=True)
class LayerRecord:
    """One entry per instance; None where the call did not compute it.

    Attributes:
        status: proof status of the exact decision, the least favourable of the batch.
        statuses: the same per instance; empty when no exact decision was asked for.
        value, bound: (batch,) theta'z of the exact decision and its proven lower bound.
        rho: (batch,) penalty weight of the relaxed decision behind the gradient.
        threshold: (batch,) exactness threshold rho_bar, if asked for.
        certified: (batch,) bool, if asked for: x_rho over the polytope that was used (a relaxation, for
            colourings) is z*, proven optimal. Then z* is optimal over that polytope too and rho is
            below its threshold: relaxed and exact decision are one. False: the relaxation has its own.
        exact: (batch,) bool, x_rho = z* over conv(Z), certified by one oracle call, if asked for.
        unique: (batch,) bool, schedules: the choice among optima is proven; see `OracleResult`.
        tied: (batch,) bool, schedules: the gradient is one of several generalised derivatives.
        kkt_residual: (batch,) of the relaxed decision.
        active_rows, iterations, face_dimension: (batch,) int, of the relaxed decision.
        route: the engine that projected; several, joined by " + ", where instances went different ways.
        gradient: "relaxed" or "remainder" or "blend": what the backward pass differentiates.
    """

    statuses: tuple[Status, ...] = ()
    value: Tensor | None = None
    bound: Tensor | None = None
    rho: Tensor | None = None
    threshold: Tensor | None = None
    certified: Tensor | None = None
    exact: Tensor | None = None
    unique: Tensor | None = None
    tied: Tensor | None = None
    kkt_residual: Tensor | None = None
    active_rows: Tensor | None = None
    iterations: Tensor | None = None
    face_dimension: Tensor | None = None
    route: str | None = None
    gradient: str | None = None

    @property
    def status(self) -> Status | None:
        return Status.worst(self.statuses) if self.statuses else None

    @property
    def certificates(self) -> tuple[str, ...]:
        """ "certified" or "relaxation" per instance, as `certified` says; empty if not asked for."""
        if self.certified is None:
            return ()
        return tuple("certified" if yes else "relaxation" for yes in self.certified.tolist())

    def __str__(self) -> str:
        """One line: statuses, certificates, rho and residual, as far as known; counts for a batch."""
        parts = []
        for words in (tuple(map(str, self.statuses)), self.certificates):
            counts = Counter(words)
            if len(words) == 1:
                parts.append(words[0])
            else:
                parts.extend(f"{number} {word}" for word, number in counts.items())
        parts += [f"route {self.route}"] if self.route else []
        parts += [f"gradient {self.gradient}"] if self.gradient else []
        if self.rho is not None:
            parts.append(f"rho {float(self.rho.mean()):.3g}")
        if self.kkt_residual is not None and len(self.kkt_residual):
            parts.append(f"KKT residual {float(self.kkt_residual.max()):.1e}")
        return f"LayerRecord({', '.join(parts)})"

    @property
    def informative(self) -> Tensor | None:
        """(batch,) bool, the Jacobian is not zero: the minimal face has positive dimension."""
        return None if self.face_dimension is None else self.face_dimension > 0

    @property
    def share(self) -> float | None:
        """Share of instances whose gradient is informative; None for an empty batch."""
        informative = self.informative
        if informative is None or len(informative) == 0:
            return None
        return int(informative.sum()) / len(informative)

    def instance(self, row: int) -> LayerRecord:
        """The record of one instance, as a batch of one."""
        parts: dict[str, object] = {}
        for f in fields(LayerRecord):
            value = getattr(self, f.name)
            parts[f.name] = value[row : row + 1] if isinstance(value, Tensor | tuple) else value
        return LayerRecord(**parts)  # type: ignore[arg-type]

    @staticmethod
    def concatenate(records: Sequence[LayerRecord]) -> LayerRecord:
        """The record of several calls as one batch."""
        joined: dict[str, object] = {"statuses": sum((r.statuses for r in records), ())}
        for f in fields(LayerRecord):
            if f.name == "statuses":
                continue
            parts = [getattr(r, f.name) for r in records]
            if f.name in ("route", "gradient"):
                joined[f.name] = " + ".join(dict.fromkeys(p for p in parts if p)) or None
            else:
                joined[f.name] = None if any(p is None for p in parts) else torch.cat(parts)
        return LayerRecord(**joined)  # type: ignore[arg-type]
