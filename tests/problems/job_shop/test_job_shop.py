"""Job shops: instances, schedules, execution."""

import pytest
import torch

from diffcomb import DecisionLayer
from diffcomb.errors import InvalidCostsError, InvalidInstanceError, UnknownNameError, UnsupportedError
from diffcomb.problems import JobShop
from tests.jobshop_cases import all_sequences, random_shop
from tests.registry import seeded

SHOP = [[0, 1, 2], [2, 0], [1]]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"machines": [[0, 1, 0]]}, InvalidInstanceError, "twice"),
        ({"machines": [[0, -1]]}, InvalidInstanceError, "count from 0"),
        ({"machines": []}, InvalidInstanceError, "at least one job"),
        ({"machines": [[]]}, InvalidInstanceError, "Job 0"),
        ({"objective": "profit"}, UnknownNameError, "makespan"),
        ({"ties": "coin"}, UnknownNameError, "perturb"),
        ({"objective": "tardiness"}, InvalidInstanceError, "needs due_dates"),
        ({"objective": "tardiness", "due_dates": [1.0, 2.0]}, InvalidInstanceError, "each of the 3 jobs"),
        ({"waiting": -1.0}, InvalidInstanceError, "from 0 on"),
        ({"waiting": float("nan")}, InvalidInstanceError, "from 0 on"),
        ({"weights": [1.0, 0.0, 1.0]}, InvalidInstanceError, "positive"),
        ({"weights": [1.0, float("nan"), 1.0]}, InvalidInstanceError, "finite"),
    ],
)
def test_bad_instances_are_refused(change, error, message):
    """In words, with the place."""
    with pytest.raises(error, match=message):
        JobShop(**{"machines": SHOP, **change})


@pytest.mark.parametrize("bad", [-1.0, float("nan")])
def test_bad_durations_are_refused(bad):
    """Negative and NaN durations never reach a solver."""
    problem, p = random_shop(2, 2)
    p[1] = bad
    with pytest.raises(InvalidCostsError):
        problem.solve(p)


def test_jobs_of_different_length_are_scheduled():
    """Rows need not visit every machine."""
    problem = JobShop(SHOP)
    p = torch.tensor([3.0, 2.0, 4.0, 5.0, 1.0, 6.0], dtype=torch.float64)
    result = problem.solve(p)
    assert float(result.value) == 11.0  # machine 1: job 0 at 3, then the third job, 5 + 6
    assert bool(problem.is_feasible(result.decision, p))


def test_objectives_at_a_known_schedule():
    """Ends 4 and 9, due 5 and 6, weights 2 and 3, earliness weights 1 and 1."""
    z, p = torch.tensor([1.0, 5.0]), torch.tensor([3.0, 4.0])
    expected = {"makespan": 9.0, "completion": 35.0, "tardiness": 9.0, "earliness_tardiness": 10.0}
    for objective, value in expected.items():
        problem = JobShop([[0], [0]], objective, weights=[2, 3], due_dates=[5, 6], earliness_weights=[1, 1])
        assert float(problem.objective(z, p)) == value


def test_overlaps_and_precedences_are_noticed():
    """Shifting any operation of an earliest schedule to an earlier start makes it infeasible."""
    problem, p = random_shop(3, 3)
    z = problem.solve(p).decision
    assert bool(problem.is_feasible(z, p))
    for i in range(problem.num_costs):
        shifted = z.clone()
        shifted[i] -= 0.5
        assert not bool(problem.is_feasible(shifted, p))
    batch = problem.is_feasible(torch.stack([z, z * 0.5]), p)
    assert batch.tolist() == [True, False]


def test_execution_keeps_the_order_on_every_machine():
    """With the planned durations the plan comes back; with others every machine keeps its order."""
    problem, p = random_shop(3, 3)
    plan = problem.solve(p).decision
    torch.testing.assert_close(problem.execute(plan, p), plan, rtol=0, atol=1e-9)
    true = problem.random_costs(4, generator=seeded(9))
    starts = problem.execute(plan, true)
    assert bool(problem.is_feasible(starts, true).all())
    for m in range(problem.num_machines):
        on = torch.as_tensor(problem.machine == m).nonzero().squeeze(1)
        assert torch.equal(starts[:, on].argsort(-1), plan[on].argsort(-1).expand(4, -1))


def test_execution_of_a_sequence_and_refusal_of_an_impossible_one():
    """Integer plans are sequences; one that breaks a job's order is refused."""
    problem, p = random_shop(2, 2)
    sequence = torch.from_numpy(all_sequences(problem)[0])
    assert bool(problem.is_feasible(problem.execute(sequence, p), p))
    with pytest.raises(InvalidInstanceError, match="before its predecessor"):
        problem.execute(torch.tensor([1, 0, 2, 3]), p)
    with pytest.raises(InvalidInstanceError, match="once"):
        problem.execute(torch.tensor([0, 0, 2, 3]), p)


def test_realized_cost_without_and_with_bookings():
    """The best plan costs its optimum; a plan made too tight waits, which costs only where it is booked."""
    free, p = random_shop(3, 3)
    booked = JobShop(free.machines, waiting=2.0)
    best = free.solve(p)
    for problem in (free, booked):
        torch.testing.assert_close(problem.realized_cost(best.decision, p), best.value)
    tight = free.solve(0.5 * p).decision
    starts = booked.execute(tight, p)
    late = (starts - tight).sum()
    assert float(late) > 0
    torch.testing.assert_close(free.realized_cost(tight, p), best.value)  # the same order
    torch.testing.assert_close(booked.realized_cost(tight, p), free.objective(starts, p) + 2 * late)


def test_generator_is_seeded_and_reaches_fifty_by_fifty():
    """The same generator, the same instance."""
    first, second = (JobShop.random(50, 50, generator=seeded(4)) for _ in range(2))
    assert first.num_costs == 2500
    assert torch.equal(first.costs, second.costs)
    assert (first.machine == second.machine).all()
    assert first.cost_graph().edge_index.shape == (2, 2500)


def test_what_does_not_apply_says_so():
    """Program, relaxed decisions and other oracles are refused in words."""
    problem, p = random_shop(2, 2)
    with pytest.raises(UnsupportedError, match="polytope"):
        problem.polytope()
    with pytest.raises(UnsupportedError, match="relaxed"):
        DecisionLayer(problem, decision="relaxed")
    with pytest.raises(UnsupportedError, match="relaxed"):
        DecisionLayer(problem).relax(p)
    with pytest.raises(UnsupportedError, match="highs"):
        problem.solve(p, oracle="highs")
    with pytest.raises(InvalidCostsError, match="pass theta"):
        JobShop(SHOP).is_feasible(torch.zeros(6))
