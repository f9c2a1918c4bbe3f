"""A small network trained with a method, judged by what its decisions cost.

Contexts x ~ N(0, I_5); true costs c = scale * (((B x / sqrt 5) + 3)^4 + 1) / 3.5^4 * eps per cost, B
Bernoulli(1/2) and fixed, eps uniform in 1 +- 0.5 (Elmachtoub & Grigas 2022, as in PyEPO), with the
problem's sign. The network, one hidden layer, cannot know eps and must learn the power. After every
epoch it decides on a stream of unseen contexts with the method's deployed decision:

    regret          (sum c'z - sum V(c)) / sum |V(c)|
    cost reduction  (sum c'z before training - sum c'z now) / sum |V(c)|, cumulative over the stream

(counted in typical costs where the optima are nothing, see `normalized_regret`)

Schedules cost what happens when their planned start times meet the true durations; see PlannedStartLoss.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from diffcomb.metrics import cost_unit, regret_scale
from diffcomb.problems import JobShop, Problem, planned_start_cost
from diffcomb.protocol.setup.cells import Cell
from diffcomb.protocol.setup.methods import Method, method_of
from diffcomb.protocol.setup.settings import EndToEndSettings, ProtocolConfig
from diffcomb.protocol.setup.store import Row
from diffcomb.protocol.setup.trials import family_problem, seeded

_FEATURES = 5


@dataclass(frozen=True)
class Contexts:
    """x (count, 5), costs and optimal decisions (count, n), optimal values (count,)."""

    x: Tensor
    costs: Tensor
    decisions: Tensor
    values: Tensor


def measure_end_to_end(cell: Cell, settings: ProtocolConfig) -> list[Row]:
    """regret and cost_reduction after every epoch (x), and train_seconds of CPU."""
    what = settings.end_to_end
    problem = family_problem(cell.problem, int(cell.size), cell.trial, settings.seed)
    method = method_of(cell.method, settings, cell.size, cell.trial)
    method.require_meaningful_cost()
    train, test = contexts(problem, (cell.problem, cell.size, cell.trial, settings.seed), what)
    network = _network(problem, float(train.costs.abs().mean()), (cell.size, cell.trial))
    # losses may bring learned parts of their own (LANCER does)
    own = [p for p in method.loss.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam([*network.parameters(), *own], lr=what.learning_rate)
    order = seeded("order", cell.size, cell.trial)
    before = _stream_cost(method, network, test)
    scale = float(regret_scale(test.values, cost_unit(test.costs)))
    best = float(test.values.sum())
    rows: list[Row] = [{"quantity": "regret", "x": 0.0, "value": (float(before.sum()) - best) / scale}]
    seconds = 0.0
    for epoch in range(1, what.epochs + 1):
        start = time.process_time()
        for index in torch.randperm(what.train, generator=order).split(what.batch):
            optimizer.zero_grad()
            theta = network(train.x[index])
            method.loss_value(theta, train.costs[index], train.decisions[index]).backward()
            optimizer.step()
        seconds += time.process_time() - start
        cost = _stream_cost(method, network, test)
        rows += [
            {"quantity": "regret", "x": float(epoch), "value": (float(cost.sum()) - best) / scale},
            {
                "quantity": "cost_reduction",
                "x": float(epoch),
                "value": float((before - cost).sum()) / scale,
                "note": "cumulative over the test stream, in units of its optimal cost",
            },
        ]
    return [*rows, {"quantity": "train_seconds", "value": seconds}]


def contexts(
    problem: Problem, identity: tuple[object, ...], what: EndToEndSettings
) -> tuple[Contexts, Contexts]:
    """Training and test contexts, labelled."""
    return _contexts(problem, identity, what.train, what.test)


@lru_cache(maxsize=4)
def _contexts(
    problem: Problem, identity: tuple[object, ...], train: int, test: int
) -> tuple[Contexts, Contexts]:
    generator = seeded("contexts", *identity)
    n, count = problem.num_costs, train + test
    scale = float(problem.random_costs(8, generator=generator).abs().mean())
    mixing = (torch.rand(n, _FEATURES, generator=generator, dtype=torch.float64) < 0.5).double()
    x = torch.randn(count, _FEATURES, generator=generator, dtype=torch.float64)
    noise = 0.5 + torch.rand(count, n, generator=generator, dtype=torch.float64)
    power = ((x @ mixing.T / _FEATURES**0.5 + 3) ** 4 + 1) / 3.5**4
    costs = problem.cost_sign * scale * power * noise
    decisions = problem.solve(costs, num_workers=1).decision
    values = cost_of(problem, decisions, costs)
    parts = [Contexts(x[s], costs[s], decisions[s], values[s]) for s in (slice(train), slice(train, None))]
    return parts[0], parts[1]


def cost_of(problem: Problem, decisions: Tensor, costs: Tensor) -> Tensor:
    """What decisions cost when `costs` come true, (batch, n) and (batch, n) -> (batch,)."""
    if isinstance(problem, JobShop):
        return planned_start_cost(problem, decisions, costs)
    return problem.objective(decisions, costs)


def _network(problem: Problem, scale: float, identity: tuple[object, ...]) -> nn.Module:
    """x -> costs with the problem's sign and of the right magnitude; the same weights for every method."""
    state = torch.get_rng_state()
    torch.manual_seed(seeded("network", *identity).initial_seed() % 2**31)
    network = nn.Sequential(
        nn.Linear(_FEATURES, 32), nn.SiLU(), nn.Linear(32, problem.num_costs), nn.Softplus()
    ).double()
    torch.set_rng_state(state)
    return nn.Sequential(network, _Scale(problem.cost_sign * scale))


class _Scale(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


def _stream_cost(method: Method, network: nn.Module, test: Contexts) -> Tensor:
    with torch.no_grad():
        return cost_of(method.problem, method.deployed(network(test.x)), test.costs)
