"""Cuts remembered from one solve to the next: proofs and values do not depend on them."""

import copy
import pickle

import numpy as np
import torch

from diffcomb.problems import TravelingSalesman
from diffcomb.problems.tours import BranchAndCut
from diffcomb.problems.tours.cuts.cut_memory import CutMemory
from diffcomb.problems.tours.cuts.cuts import subtour
from tests.registry import seeded

#: no 1-tree search: what the root leaves open meets the linear program
NO_SEARCH = 0


def mixed_costs(problem: TravelingSalesman) -> torch.Tensor:
    """Maps, one map with noise, and costs of any sign: what is tight for one is useless for others."""
    maps = problem.random_costs(4, generator=seeded(1))
    noise = torch.randn(4, problem.num_costs, generator=seeded(2), dtype=torch.float64)
    return torch.cat([maps, maps[0] * (1 + 0.1 * noise), noise])


def test_values_are_those_without_a_history():
    """In order, in reverse on what the first pass left, and afresh on 1-trees: proven, same values."""
    problem, memory = TravelingSalesman(40), CutMemory()
    theta = mixed_costs(problem)
    oracle = BranchAndCut(memory, budget=NO_SEARCH)
    forwards = problem.solve(theta, oracle, num_workers=1)
    assert memory.recall(40)
    backwards = problem.solve(theta.flip(0), oracle, num_workers=1)
    alone = [problem.solve(row, BranchAndCut(budget=100_000)) for row in theta]
    assert all(result.is_optimal for result in (forwards, backwards, *alone))
    values = torch.stack([one.value for one in alone])
    torch.testing.assert_close(forwards.value, values, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(backwards.value.flip(0), values, rtol=1e-7, atol=1e-7)


def test_threads_may_share_a_memory():
    """Four workers on one problem: the values of one worker."""
    problem, oracle = TravelingSalesman(40), BranchAndCut(budget=NO_SEARCH)
    theta = mixed_costs(problem)
    together, alone = (problem.solve(theta, oracle, num_workers=workers) for workers in (4, 1))
    torch.testing.assert_close(together.value, alone.value, rtol=1e-7, atol=1e-7)


def test_the_memory_is_bounded_and_forgets_the_oldest():
    """Three of four cuts stay, a repeated one counts as new; so do three of four numbers of cities."""
    memory = CutMemory(most=3, sizes=3)
    cuts = [subtour(np.arange(8) < size) for size in (2, 3, 4, 5)]
    memory.remember(8, cuts[:3])
    memory.remember(8, [cuts[0], cuts[3]])
    assert [cut.key for cut in memory.recall(8)] == [cuts[k].key for k in (2, 0, 3)]
    assert memory.recall(9) == []
    for num_cities in (9, 10, 8, 11):
        memory.remember(num_cities, cuts)
    assert memory.recall(9) == []
    assert len(memory) == 9


def test_many_problems_of_one_size_share_what_is_remembered():
    """Objects that differ in nothing but identity leave the memory as large as one of them."""
    memory = CutMemory(most=20)
    oracle = BranchAndCut(memory, budget=NO_SEARCH)
    theta = mixed_costs(TravelingSalesman(30))
    sizes = []
    for row in theta:
        TravelingSalesman(30).solve(row, oracle)
        sizes.append(len(memory))
    assert 0 < sizes[-1] <= 20


def test_a_copy_of_the_oracle_starts_without_cuts():
    """Deep copies and pickles, as training makes them."""
    oracle = BranchAndCut(budget=NO_SEARCH)
    problem = TravelingSalesman(30)
    problem.solve(mixed_costs(problem)[0], oracle)
    for other in (copy.deepcopy(oracle), pickle.loads(pickle.dumps(oracle))):
        assert len(other.memory) == 0
        assert other.budget == oracle.budget


def test_no_limit_makes_a_bound_wrong():
    """Stopped in the local search, a linear program or the tree: bound <= optimum <= value."""
    problem = TravelingSalesman(80)
    theta = problem.random_costs(1, generator=seeded(3))[0]
    optimum = problem.solve(theta).value
    for limit in (1e-3, 1e-2, 5e-2):
        result = problem.solve(theta, time_limit=limit)
        assert float(result.bound) <= float(optimum) + 1e-7 <= float(result.value) + 2e-7
