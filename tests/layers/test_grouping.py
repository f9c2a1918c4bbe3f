"""A call's costs as blocks, and its answers back in their place."""

import numpy as np
import pytest
import torch

from diffcomb.errors import InvalidCostsError
from diffcomb.layers import group
from diffcomb.problems import Assignment, Knapsack, ShortestPath, TravelingSalesman
from tests.registry import seeded

SMALL, LARGE = Assignment(2), Assignment(3)


def _costs(problems):
    return [p.random_costs(1, generator=seeded(i))[0] for i, p in enumerate(problems)]


def test_a_list_is_one_block_a_problem_and_comes_back_in_order():
    """Splitting the costs themselves and restoring them changes nothing."""
    problems = [LARGE, SMALL, LARGE, SMALL, LARGE]
    theta = _costs(problems)
    grouping = group(problems, theta)
    assert [block.problem for block in grouping.blocks] == [LARGE, SMALL]
    assert [block.places for block in grouping.blocks] == [(0, 2, 4), (1, 3)]
    split = grouping.split(theta)
    assert all(torch.equal(a, block.theta) for a, block in zip(split, grouping.blocks, strict=True))
    assert all(map(torch.equal, grouping.restore(split), theta))
    numbers = grouping.restore([block.theta.sum(-1) for block in grouping.blocks])
    assert all(torch.equal(n, t.sum()) for n, t in zip(numbers, theta, strict=True))


@pytest.mark.parametrize("form", ["batch", "vector", "list"])
def test_one_problem_is_one_block(form):
    """Batches are not copied, vectors get a row of their own, and answers take the form of the costs."""
    theta = SMALL.random_costs(3, generator=seeded())
    given = {"batch": theta, "vector": theta[0], "list": list(theta)}[form]
    grouping = group(SMALL, given)
    (block,) = grouping.blocks
    assert block.problems == (SMALL,)
    assert torch.equal(block.theta, theta[:1] if form == "vector" else theta)
    x, rho = grouping.restore([(2 * block.theta, block.theta.sum(-1))])
    if form == "list":
        assert all(torch.equal(a, 2 * t) for a, t in zip(x, given, strict=True))
        assert [r.shape for r in rho] == [()] * 3
    else:
        assert torch.equal(x, 2 * given)
        assert torch.equal(rho, given.sum(-1))


def test_a_batch_with_one_problem_a_row_stays_a_batch():
    """Rows of different problems of one size come back as one tensor."""
    problems = [Assignment(2), SMALL, SMALL]
    theta = SMALL.random_costs(3, generator=seeded())
    grouping = group(SMALL, theta, problems)
    assert len(grouping.blocks) == 2
    assert torch.equal(grouping.restore([block.theta for block in grouping.blocks]), theta)


def test_problems_of_one_structure_are_one_block():
    """Knapsacks that differ in capacity, paths that differ in source, tours that do not differ at all."""
    weights = np.arange(1.0, 5.0)
    sacks = [Knapsack(weights, capacity) for capacity in (3, 5, 8)]
    paths = [ShortestPath([(0, 1), (1, 2), (0, 2), (2, 3)], 4, source, 3) for source in (0, 1)]
    tours = [TravelingSalesman(4), TravelingSalesman(4)]
    problems = [*sacks, *paths, *tours, Knapsack(2 * weights, 3)]
    grouping = group(problems, _costs(problems), by_structure=True)
    assert [len(block.theta) for block in grouping.blocks] == [3, 2, 2, 1]
    assert grouping.blocks[0].problems == tuple(sacks)
    assert len(group(problems, _costs(problems)).blocks) == len(problems)


def test_a_subclass_that_may_have_added_rows_is_no_structure_of_another():
    """Only a class that declares its structure itself is trusted to have told all of it."""

    class Restricted(Knapsack):
        pass

    problems = [Restricted([1.0, 2.0], 2), Restricted([1.0, 2.0], 2)]
    assert len(group(problems, _costs(problems), by_structure=True).blocks) == 2


def test_an_empty_list_has_no_blocks():
    """And an empty answer."""
    grouping = group([], [])
    assert grouping.blocks == ()
    assert grouping.restore([]) == []


@pytest.mark.parametrize(
    ("problem", "theta", "problems", "words"),
    [
        (SMALL, np.ones(4), None, "torch tensor"),
        (SMALL, [torch.ones(4), torch.ones(3)], None, "4 costs, cost vector 1 has 3"),
        (SMALL, [torch.ones(1, 4)], None, r"entry 0 is \(1, 4\)"),
        (SMALL, torch.ones(2, 2, 4), None, r"\(2, 2, 4\)"),
        ([SMALL, LARGE], [torch.ones(4)], None, "2 problems and 1 vectors"),
        ([SMALL, SMALL], torch.ones(4), None, r"2 problems and costs of shape \(4,\)"),
        (Assignment, torch.ones(1, 4), None, "no problem"),
        (SMALL, [torch.ones(4)], [Assignment], "no problem"),
    ],
)
def test_what_cannot_be_grouped_is_refused_in_words(problem, theta, problems, words):
    """Arrays, vectors of other lengths, and anything but one problem a vector."""
    with pytest.raises(InvalidCostsError, match=words):
        group(problem, theta, problems)
