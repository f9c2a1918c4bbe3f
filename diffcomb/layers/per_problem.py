"""Rows of one structure that belong to several problems: what has to be asked of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from diffcomb.oracles import Limits, OracleResult
from diffcomb.problems import Problem, Remainder


def rows_of(problems: Sequence[Problem], count: int) -> list[tuple[Problem, list[int]]]:
    """Each distinct problem with its rows."""
    if len(problems) == 1:
        return [(problems[0], list(range(count)))]
    members: dict[int, list[int]] = {}
    for row, problem in enumerate(problems):
        members.setdefault(id(problem), []).append(row)
    return [(problems[rows[0]], rows) for rows in members.values()]


def solve_each(problems: Sequence[Problem], theta: Tensor, limits: Limits) -> OracleResult:
    """Exact decisions of one problem for all rows of theta (batch, P), or of one a row."""
    if len(problems) == 1:
        return problems[0].solve(theta, limits)
    parts = [(problem.solve(theta[rows], limits), rows) for problem, rows in rows_of(problems, len(theta))]
    order = torch.tensor([row for _, rows in parts for row in rows]).argsort()
    statuses = [status for part, _ in parts for status in part.statuses]

    def whole(name: str) -> Tensor:
        return torch.cat([getattr(part, name) for part, _ in parts])[order]

    return OracleResult(
        whole("decision"),
        whole("value"),
        whole("bound"),
        tuple(statuses[k] for k in order.tolist()),
        sum(part.seconds for part, _ in parts),
        None if any(part.unique is None for part, _ in parts) else whole("unique"),
    )


@dataclass(frozen=True)
class _Remainders:
    """The remainders of several problems as one batch."""

    parts: list[tuple[Remainder, list[int]]]

    @property
    def tied(self) -> Tensor:
        order = torch.tensor([row for _, rows in self.parts for row in rows]).argsort()
        return torch.cat([part.tied for part, _ in self.parts])[order]

    def adjoint(self, grad: Tensor) -> Tensor:
        parts = [part.adjoint(grad[rows]) for part, rows in self.parts]
        order = torch.tensor([row for _, rows in self.parts for row in rows]).argsort()
        return torch.cat(parts)[order]


def remainder_of(problems: Sequence[Problem], decision: Tensor, theta: Tensor) -> Remainder:
    """How the continuous part of decisions (batch, n) moves with theta, of one problem or one a row."""
    if len(problems) == 1:
        return problems[0].remainder(decision, theta)
    split = rows_of(problems, len(theta))
    return _Remainders([(problem.remainder(decision[rows], theta[rows]), rows) for problem, rows in split])


def right_hand_sides(problems: Sequence[Problem]) -> np.ndarray:
    """(batch, p + q) [b, h] of each."""
    programs = [problem.polytope() for problem in problems]
    return np.stack([np.concatenate([program.b, program.h]) for program in programs])
