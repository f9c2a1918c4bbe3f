"""Cuts remembered from one solve to the next: proofs and values do not depend on them."""

import gc
import weakref

import numpy as np
import pytest
import torch

from diffcomb.problems import TravelingSalesman
from diffcomb.problems.tours import branch_and_cut
from diffcomb.problems.tours.cuts.cut_memory import CutMemory
from diffcomb.problems.tours.cuts.cuts import subtour
from tests.registry import seeded


@pytest.fixture
def memory(monkeypatch) -> CutMemory:
    """An empty memory, and no 1-tree search: what the root leaves open meets the linear program."""
    memory = CutMemory()
    monkeypatch.setattr(branch_and_cut, "_memory", memory)
    monkeypatch.setattr(branch_and_cut, "_BUDGET", 0)
    return memory


def mixed_costs(problem: TravelingSalesman) -> torch.Tensor:
    """Maps, one map with noise, and costs of any sign: what is tight for one is useless for others."""
    maps = problem.random_costs(4, generator=seeded(1))
    noise = torch.randn(4, problem.num_costs, generator=seeded(2), dtype=torch.float64)
    return torch.cat([maps, maps[0] * (1 + 0.1 * noise), noise])


def test_values_are_those_without_a_history(memory, monkeypatch):
    """In order, in reverse on what the first pass left, and afresh on 1-trees: proven, same values."""
    problem = TravelingSalesman(40)
    theta = mixed_costs(problem)
    forwards = problem.solve(theta, num_workers=1)
    assert memory.recall(problem)
    backwards = problem.solve(theta.flip(0), num_workers=1)
    monkeypatch.setattr(branch_and_cut, "_BUDGET", 100_000)
    alone = [TravelingSalesman(40).solve(row) for row in theta]
    assert all(result.is_optimal for result in (forwards, backwards, *alone))
    values = torch.stack([one.value for one in alone])
    torch.testing.assert_close(forwards.value, values, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(backwards.value.flip(0), values, rtol=1e-7, atol=1e-7)


def test_threads_may_share_a_memory(memory):
    """Four workers on one problem: the values of one worker."""
    problem = TravelingSalesman(40)
    theta = mixed_costs(problem)
    together, alone = problem.solve(theta, num_workers=4), problem.solve(theta, num_workers=1)
    torch.testing.assert_close(together.value, alone.value, rtol=1e-7, atol=1e-7)


def test_the_memory_is_bounded_and_forgets_the_oldest():
    """Three of four cuts stay; a repeated one counts as new."""
    memory, problem = CutMemory(most=3), TravelingSalesman(8)
    cuts = [subtour(np.arange(8) < size) for size in (2, 3, 4, 5)]
    memory.remember(problem, cuts[:3])
    memory.remember(problem, [cuts[0], cuts[3]])
    assert [cut.key for cut in memory.recall(problem)] == [cuts[k].key for k in (2, 0, 3)]
    assert memory.recall(TravelingSalesman(8)) == []


def test_a_problem_is_not_kept_alive():
    """Once the problem is gone its cuts are, too."""
    memory, problem = CutMemory(), TravelingSalesman(8)
    memory.remember(problem, [subtour(np.arange(8) < 3)])
    gone = weakref.ref(problem)
    del problem
    gc.collect()
    assert gone() is None
    assert len(memory._cuts) == 0


def test_no_limit_makes_a_bound_wrong():
    """Stopped in the local search, a linear program or the tree: bound <= optimum <= value."""
    problem = TravelingSalesman(80)
    theta = problem.random_costs(1, generator=seeded(3))[0]
    optimum = problem.solve(theta).value
    for limit in (1e-3, 1e-2, 5e-2):
        result = problem.solve(theta, time_limit=limit)
        assert float(result.bound) <= float(optimum) + 1e-7 <= float(result.value) + 2e-7
