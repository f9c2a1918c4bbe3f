"""Problems own what they are given: copies that never change, whole numbers that are whole."""

import numpy as np
import pytest
import torch
from scipy import sparse

from diffcomb import DecisionLayer
from diffcomb.errors import InvalidInstanceError
from diffcomb.layers import ParametricLayer
from diffcomb.problems import (
    Assignment,
    BinaryProgram,
    GraphColoring,
    JobShop,
    Knapsack,
    Matching,
    MinCostFlow,
    SetCover,
    ShortestPath,
    TravelingSalesman,
)
from diffcomb.problems.own_arrays import pairs_of_nodes, real_numbers, whole_number, whole_numbers
from diffcomb.traffic import RoadNetwork

EDGES = [[0, 1], [1, 2], [0, 2], [2, 3]]
NAN = float("nan")


def _roads(ends=((0, 1, 2), (1, 2, 0)), times=(1.0, 1.0, 1.0)):
    one = np.ones(3)
    return RoadNetwork(3, 2, *ends, times, one, one, one, one, one)


#: name -> (arrays of the caller, problem made of them, what it then knows)
KEPT = {
    "ShortestPath": ([EDGES], lambda e: ShortestPath(e, 4, 0, 3), lambda p: (p.tails, p.heads, p.order)),
    "ShortestPath, two rows": (
        [np.transpose(EDGES)],
        lambda e: ShortestPath(e, 4, 0, 3),
        lambda p: (p.tails, p.heads),
    ),
    "Matching": ([EDGES], lambda e: Matching(e, 4), lambda p: (p.tails, p.heads)),
    "MinCostFlow": (
        [EDGES, [1.0, 0.0, 0.0, -1.0]],
        MinCostFlow,
        lambda p: (p.tails, p.heads, p.supplies),
    ),
    "GraphColoring": ([EDGES], lambda e: GraphColoring(e, 4, 3), lambda p: (p.edges,)),
    "SetCover": ([[0, 1], [1, 2]], lambda *s: SetCover(s, 3), lambda p: (*p.members, p.polytope().G.data)),
    "Knapsack": ([[1.0, 2.0, 3.0], [5.0]], Knapsack, lambda p: (p.weights, p.capacity)),
    "BinaryProgram": (
        [np.eye(3), np.ones(3), 2 * np.eye(3), np.ones(3)],
        BinaryProgram,
        lambda p: (p.polytope().A.data, p.polytope().b, p.polytope().G.data, p.polytope().h),
    ),
    "JobShop": (
        [[[0, 1], [1, 0]], [1.0, 2.0], [9.0, 9.0], [0.5, 0.5]],
        lambda m, w, d, e: JobShop(m, "earliness_tardiness", weights=w, due_dates=d, earliness_weights=e),
        lambda p: (*p.machines, p.machine, p.weights, p.due_dates, p.earliness_weights),
    ),
    "TravelingSalesman.from_coordinates": (
        [[[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]]],
        TravelingSalesman.from_coordinates,
        lambda p: (p.costs.numpy(), p.coordinates.numpy()),
    ),
    "TravelingSalesman.from_matrix": (
        [[[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]], [[0, 1]]],
        lambda d, f: TravelingSalesman.from_matrix(d, fixed_edges=f),
        lambda p: (p.costs.numpy(), p.fixed_edges),
    ),
    "TravelingSalesman": (
        [[[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]]],
        lambda xy: TravelingSalesman(3, coordinates=xy),
        lambda p: (p.coordinates.numpy(),),
    ),
    "RoadNetwork": (
        [[[0, 1, 2], [1, 2, 0]], [1.0, 1.0, 1.0]],
        _roads,
        lambda p: (p.tails, p.heads, p.free_flow_time, p.capacity, p.links_by_tail),
    ),
    "DecisionLayer's rho": (
        [[1.0, 2.0]],
        lambda rho: DecisionLayer(Knapsack([1, 2], 2), rho=torch.as_tensor(rho)),
        lambda layer: (layer.rho.value.numpy(),),
    ),
}


@pytest.mark.parametrize("kind", [np.array, torch.tensor], ids=["arrays", "tensors"])
@pytest.mark.parametrize("name", KEPT)
def test_problems_do_not_change_with_their_callers_arrays(name, kind):
    """Zeros written over everything that was given change nothing."""
    given, make, look = KEPT[name]
    arrays = [kind(values) for values in given]
    problem = make(*arrays)
    before = [np.array(known) for known in look(problem)]
    for array in arrays:
        array[...] = 0
    assert all(np.array_equal(old, new) for old, new in zip(before, look(problem), strict=True))


def test_sparse_matrices_are_copied_too():
    """Their values, columns and starts."""
    G, h = sparse.csr_array(np.eye(3)), np.ones(3)
    problem = BinaryProgram(G=G, h=h)
    G.data *= 5
    G.indices[:] = 0
    assert np.array_equal(problem.polytope().G.toarray(), np.eye(3))


def test_a_layer_s_rows_are_not_its_problem_s():
    """ParametricLayer's buffers may be changed in place."""
    problem = BinaryProgram(G=np.eye(2), h=np.ones(2))
    ParametricLayer(problem).h.zero_()
    assert problem.polytope().h.tolist() == [1, 1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: ShortestPath([(0, 1.7), (1.2, 2)], 3, 0, 2),
        lambda: ShortestPath([(0, 1), (1, 2)], 3.5, 0, 2),
        lambda: ShortestPath([(0, 1), (1, 2)], 3, 0.2, 2),
        lambda: ShortestPath([(0, 1), (1, 2)], 3, 0, 1.9),
        lambda: ShortestPath([(0, 1), (1, "2")], 3, 0, 2),
        lambda: ShortestPath([(0, 1), (1, 2, 3)], 3, 0, 2),
        lambda: ShortestPath.grid(2.5, 3),
        lambda: Matching([(0.9, 1.9), (2.2, 3.9)], 4),
        lambda: Matching([(0, NAN)], 4),
        lambda: Matching(torch.tensor([[0, 1.5]]), 4),
        lambda: Matching([(0, 1)], 4.5),
        lambda: Matching([(False, True)], 4),
        lambda: MinCostFlow([(0, 1.5)], [1, -1]),
        lambda: MinCostFlow([(0, 1)], [[1, -1]]),
        lambda: MinCostFlow([(0, 1)], ["a", "b"]),
        lambda: SetCover([[0, 1.2], [1]], 2),
        lambda: SetCover([[0, 1]], 2.5),
        lambda: SetCover([[0, 1]], 2, cover=1.5),
        lambda: SetCover([["a"]], 2),
        lambda: GraphColoring([(0, 1.7)], 3, 2),
        lambda: GraphColoring([(0, 1)], 3.5, 2),
        lambda: GraphColoring([(0, 1)], 3, 2.5),
        lambda: GraphColoring.random(3.5),
        lambda: JobShop([[0, 1.5], [1, 0]]),
        lambda: JobShop([[0, NAN]]),
        lambda: JobShop([["drill", "mill"]]),
        lambda: JobShop([[0], [0]], weights=["a", "b"]),
        lambda: JobShop.random(2.5, 2),
        lambda: TravelingSalesman(4.5),
        lambda: TravelingSalesman(4, fixed_edges=[(0, 1.5)]),
        lambda: TravelingSalesman(4, fixed_edges=[0, 1, 2, 3]),
        lambda: TravelingSalesman(4, coordinates=torch.zeros(3, 2)),
        lambda: TravelingSalesman.from_coordinates([["a", "b"]] * 3),
        lambda: TravelingSalesman.from_matrix(np.eye(3) * 1j),
        lambda: Knapsack(["a"], 1),
        lambda: Knapsack([[1, 2], [3]], [1, 1]),
        lambda: Knapsack.random(2.5),
        lambda: Assignment(2.5),
        lambda: _roads(ends=((0, 1.5, 2), (1, 2, 0))),
        lambda: _roads(times=(1.0, NAN, 1.0)),
        lambda: _roads(times=(1.0, 1.0)),
        lambda: _roads(times=(1.0, -1.0, 1.0)),
    ],
)
def test_what_is_no_whole_number_is_refused(make):
    """End points, machines, elements and sizes are never cut off; no raw error of numpy."""
    with pytest.raises(InvalidInstanceError, match=r"\.$"):
        make()


def test_numbers_that_are_whole_are_taken_in_any_type():
    """Floats without a fraction, unsigned and small integers, tensors with gradients, scalars."""
    for values in (
        [[0.0, 1.0]],
        np.array([[0, 1]], np.uint8),
        torch.tensor([[0.0, 1.0]], requires_grad=True),
    ):
        assert whole_numbers(values, "Ends").tolist() == [[0, 1]]
    assert whole_numbers(torch.tensor([2.0], dtype=torch.bfloat16), "Ends").tolist() == [2]
    assert [whole_number(v, "size") for v in (3, 3.0, np.int32(3), torch.tensor(3))] == [3, 3, 3, 3]
    assert pairs_of_nodes([], "Edges").shape == (0, 2)
    assert pairs_of_nodes([[0, 1, 2], [3, 4, 5]], "Edges").tolist() == [[0, 3], [1, 4], [2, 5]]
    assert real_numbers(torch.ones(2, requires_grad=True), "weights").tolist() == [1, 1]


@pytest.mark.parametrize("value", [2**63, np.uint64(2**64 - 1), 1e30, NAN, float("inf"), None, "3", [3], 1j])
def test_numbers_beyond_64_bits_and_other_things_are_refused(value):
    """One sentence that shows what was given."""
    with pytest.raises(InvalidInstanceError, match="Ends must be"):
        whole_numbers([[0], [value]], "Ends")


@pytest.mark.parametrize("value", [2.5, NAN, float("inf"), None, "3", True, [3], 1j, 0, 1e30])
def test_a_size_is_one_whole_number(value):
    """Neither a list of one, nor a truth value, nor less than allowed."""
    with pytest.raises(InvalidInstanceError, match="size must be (a whole number|at least 1), got"):
        whole_number(value, "size", 1)
