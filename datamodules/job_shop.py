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

JOB_SHOP_NODE_FEATURES = ("is a job", "is a machine", "wear reading", "operations")
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


def generate_shop_floor(
    problem: JobShop, count: int, *, seed: int, degree: float = 2.0, noise: float = 0.1
) -> ContextualCosts:
    """Draw `count` days of one shop; `costs` are the durations, one feature row an operation.

    Args:
        problem: gives jobs and machines; nodes of its cost graph are jobs, then machines.
        seed: the same seed gives the same data.
        degree: exponent of wear. 1: mild; 4: hard parts on worn tools take many times as long.
        noise: standard deviation of the log of the multiplicative noise. 0: none.

    Returns:
        nodes (count, jobs + machines, 4), edges (count, n, 9), costs (count, n), positions; float32.
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
    edges = torch.stack(
        [
            nominal,
            *(part == k for k in range(3)),
            reading[:, machine],
            experience,
            night,
            ((index - first) / (last - first).clamp_min(1)).expand(count, n),
            (total[:, last] - total) / 10,
        ],
        dim=-1,
    ).float()
    nodes = torch.zeros(count, jobs + machines, len(JOB_SHOP_NODE_FEATURES))
    nodes[:, :jobs, 0] = nodes[:, jobs:, 1] = 1.0
    nodes[:, jobs:, 2] = reading
    nodes[:, :, 3] = torch.cat([torch.bincount(job, minlength=jobs), torch.bincount(machine)]) / 10
    # for pictures: jobs on the left, machines on the right
    side = torch.cat([torch.zeros(jobs), torch.ones(machines)])
    height = torch.cat([torch.linspace(0, 1, jobs), torch.linspace(0, 1, machines)])
    positions = torch.stack([side, height], dim=-1).expand(count, -1, 2).clone()
    return ContextualCosts(nodes, edges, durations.float(), positions)
