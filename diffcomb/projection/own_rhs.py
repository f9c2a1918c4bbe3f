"""Instances of one structure with right-hand sides of their own: one compiled call where it is possible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import SolveFailedError
from diffcomb.program import Program
from diffcomb.projection.compiled import CompiledProjector
from diffcomb.projection.projector import Projection, Projector


def with_own_rhs(
    engine: Projector, build: Callable[[Program], Projector], target: Tensor, rhs: np.ndarray
) -> Projection:
    """Project target (batch, n) on {A x = b, G x <= h} with [b, h] = rhs (batch, p + q) of each instance.

    One call of the compiled engine where no presolve depends on b and h; otherwise, and for instances that
    have no interior with their own values, one projector for each distinct right-hand side.

    Args:
        build: makes a projector like `engine` for another program.
    """
    if isinstance(engine, CompiledProjector) and not engine.program.is_lazy:
        fits = engine.presolved.keeps_rows_of(engine.program)
        if fits and engine.backward == "cholesky":
            try:
                return engine.project_with(target, rhs)
            except SolveFailedError:
                pass  # an instance without interior, or an infeasible one, which its own presolve tells
    program: Program = engine.program  # type: ignore[attr-defined]
    p = len(program.b)
    members: dict[bytes, list[int]] = {}
    for k, row in enumerate(rhs):
        members.setdefault(row.tobytes(), []).append(k)
    parts, places = [], list(members.values())
    for rows in places:
        own = replace(program, b=rhs[rows[0], :p].copy(), h=rhs[rows[0], p:].copy(), structure=None)
        parts.append(build(own).project(target[rows]))
    return joined(parts, places)


def joined(parts: list[Projection], places: list[list[int]]) -> Projection:
    """Projections of parts of a batch as one; places: the instances of each part."""
    order = np.argsort(np.concatenate([np.asarray(rows, dtype=np.int64) for rows in places]), kind="stable")
    back = torch.from_numpy(order).to(parts[0].x.device)

    def whole(name: str) -> Tensor:
        return torch.cat([getattr(part, name) for part in parts])[back]

    def pull_back(grad: Tensor) -> Tensor:
        pulled = torch.empty_like(grad)
        for part, rows in zip(parts, places, strict=True):
            pulled[rows] = part.pull_back(grad[rows])
        return pulled

    return Projection(
        x=whole("x"),
        residual=whole("residual"),
        face_dimension=whole("face_dimension"),
        active_rows=whole("active_rows"),
        iterations=whole("iterations"),
        pull_back=pull_back,
        route=" + ".join(dict.fromkeys(part.route for part in parts)),
    )
