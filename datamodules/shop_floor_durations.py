"""Synthetic shop-floor data: what a planner knows of every operation, and the duration it hides.

Per instance (a day): wear of the tools, a shift. Per operation: a part, its nominal time, an operator.
The true duration of operation i on machine m is

    p_i = nominal_i * pace[part_i]
        * (1 + wear_m * hardness[part_i]) ** degree    a worn tool is slow on hard parts
        * (1 + (1 - experience_i) * (0.2 + 0.4 night)) beginners are slow, most of all at night
        * exp(noise * standard normal - noise^2 / 2)

The encoder sees the nominal time, the part, experience, the shift and a *noisy* wear reading.
"""

from __future__ import annotations

import torch
from torch import Tensor

from datamodules.contextual_costs import ContextualCosts
from diffcomb.problems import JobShop

#: of a bracket, a shaft, a housing
_PACE = torch.tensor([0.8, 1.0, 1.3])
_HARDNESS = torch.tensor([0.2, 0.6, 1.0])

OPERATION_FEATURES = (
    "nominal time",
    "bracket",
    "shaft",
    "housing",
    "wear reading",
    "operator's experience",
    "night shift",
    "position in the job",
    "work after it in the job",
)
RELATIONS = ("before it in its job", "after it in its job", "on the same machine")


def generate_shop_floor(
    problem: JobShop, count: int, *, seed: int, degree: float = 2.0, noise: float = 0.1
) -> ContextualCosts:
    """Draw `count` days of one shop; `costs` are the durations, a node an operation.

    Args:
        problem: gives jobs and machines.
        seed: the same seed gives the same data.
        degree: exponent of wear. 1: mild; 4: hard parts on worn tools take many times as long.
        noise: standard deviation of the log of the multiplicative noise. 0: none.

    Returns:
        nodes (count, n, 9), edges (count, m, 3) of `operation_graph`, costs (count, n), positions; float32.
    """
    generator = torch.Generator().manual_seed(seed)
    n, jobs, machines = problem.num_costs, problem.num_jobs, problem.num_machines
    job, machine = torch.from_numpy(problem.job), torch.from_numpy(problem.machine)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    part = torch.randint(0, 3, (count, jobs), generator=generator)[:, job]
    nominal = 1 + 4 * uniform(count, n)
    experience = uniform(count, n)
    night = (uniform(count, 1) < 0.3).float().expand(count, n)
    wear = uniform(count, machines)
    reading = (wear + 0.1 * torch.randn(count, machines, generator=generator)).clamp(0, 1)
    durations = (
        nominal
        * _PACE[part]
        * (1 + wear[:, machine] * _HARDNESS[part]) ** degree
        * (1 + (1 - experience) * (0.2 + 0.4 * night))
        * torch.exp(noise * torch.randn(count, n, generator=generator) - noise**2 / 2)
    )
    first, last = torch.from_numpy(problem.first)[job], torch.from_numpy(problem.last)[job]
    index = torch.arange(n)
    total = nominal.cumsum(-1)
    position = (index - first) / (last - first).clamp_min(1)
    operations = torch.stack(
        [
            nominal,
            *(part == k for k in range(3)),
            reading[:, machine],
            experience,
            night,
            position.expand(count, n),
            (total[:, last] - total) / 10,
        ],
        dim=-1,
    ).float()
    relations = operation_graph(problem)[1].expand(count, -1, -1)
    # for pictures: along the job, machine by machine
    positions = torch.stack([position, machine / max(1, machines - 1)], dim=-1).expand(count, -1, -1)
    return ContextualCosts(operations, relations.clone(), durations.float(), positions.clone())


def operation_graph(problem: JobShop) -> tuple[Tensor, Tensor]:
    """(edge_index (2, m), relation (m, 3) one-hot): the neighbours an operation competes or waits with.

    Relations, from the first node of an edge to the second: before it in its job, after it in its
    job, on the same machine.
    """
    index = torch.arange(problem.num_costs - 1)
    same_job = torch.from_numpy(problem.job[1:] == problem.job[:-1])
    before = torch.stack([index[same_job], index[same_job] + 1])
    machine = torch.from_numpy(problem.machine)
    shared = (machine[:, None] == machine) & ~torch.eye(len(machine), dtype=torch.bool)
    groups = [before, before.flip(0), shared.nonzero().T]
    relation = torch.repeat_interleave(torch.tensor([g.shape[1] for g in groups]))
    return torch.cat(groups, dim=1), torch.nn.functional.one_hot(relation, 3).float()
