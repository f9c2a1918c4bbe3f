"""A problem that is nothing but its program, and the optimum found by trying everything."""

import itertools

import numpy as np
import torch
from scipy.optimize import linprog

from diffcomb.problems.problem import CostGraph, Problem
from diffcomb.program import Program


class PlainProgram(Problem):
    """min theta'x over the points of a program."""

    is_binary = False

    def __init__(self, program: Program) -> None:
        self.program, self.num_costs = program, program.num_vars

    def is_feasible(self, z):
        return torch.from_numpy(self.program.contains(z.double().numpy()))

    def polytope(self):
        return self.program

    def random_costs(self, batch=1, *, generator=None, dtype=torch.float64):
        return torch.randn(batch, self.num_costs, generator=generator, dtype=dtype)

    def cost_graph(self):
        own = torch.arange(self.num_costs)
        return CostGraph(torch.stack([own, own]), self.num_costs)


def plain(A=None, b=None, G=None, h=None, *, num_vars, **others):
    return PlainProgram(Program.from_arrays(A, b, G, h, num_vars=num_vars, integral=False, **others))


def best_value(program: Program, cost: np.ndarray) -> float:
    """The optimum by enumerating the integer part, a linear program for the rest; inf where none is."""
    size = np.abs(cost).max(initial=0.0) or 1.0
    whole, cost = program.integer, cost / size
    ranges = [
        np.arange(np.ceil(low), np.floor(up) + 1)
        for low, up in zip(program.lower[whole], program.upper[whole], strict=True)
    ]
    found = list(itertools.product(*ranges))
    points = np.array(found).reshape(len(found), len(ranges))
    if whole.all():
        values = (points @ cost)[program.contains(points)] if len(points) else np.zeros(0)
        return size * float(values.min(initial=np.inf))
    best = np.inf
    for point in points:
        rest = linprog(
            cost[~whole],
            A_ub=program.G[:, ~whole].toarray() if len(program.h) else None,
            b_ub=program.h - program.G[:, whole] @ point if len(program.h) else None,
            A_eq=program.A[:, ~whole].toarray() if len(program.b) else None,
            b_eq=program.b - program.A[:, whole] @ point if len(program.b) else None,
            bounds=np.stack([program.lower[~whole], program.upper[~whole]], axis=1),
        )
        if rest.status == 0:
            best = min(best, float(rest.fun + cost[whole] @ point))
    return size * best
