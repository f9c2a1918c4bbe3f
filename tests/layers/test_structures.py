"""Problem objects of one structure are one compiled call, and layers keep a bounded number of engines."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import pytest
import torch

from diffcomb import DecisionLayer, SmoothedSPOPlusLoss
from diffcomb.errors import InfeasibleError
from diffcomb.problems import Knapsack, TravelingSalesman
from diffcomb.projection import compiled
from tests.registry import seeded

WEIGHTS = torch.randint(3, 9, (2, 8), generator=seeded(1)).double().numpy()


def knapsacks(count: int) -> list[Knapsack]:
    """One set of weights, capacities of each one's own."""
    return [Knapsack(WEIGHTS, [14.0 + k % 7, 17.0 - k % 5]) for k in range(count)]


def test_objects_that_differ_in_right_hand_sides_are_one_compiled_call(monkeypatch):
    """200 knapsacks: one call of the kernel, and each relaxed decision and gradient as if alone."""
    calls = []
    solve = compiled.solve_known_rows
    monkeypatch.setattr(compiled, "solve_known_rows", lambda *a, **k: calls.append(1) or solve(*a, **k))
    problems = knapsacks(200)
    theta = -torch.rand(200, 8, generator=seeded(2), dtype=torch.float64)
    g = torch.randn(200, 8, generator=seeded(3), dtype=torch.float64)
    layer = DecisionLayer([], decision="relaxed", rho=0.3)
    leaves = [t.clone().requires_grad_() for t in theta]
    together = torch.stack(layer(leaves, problems))
    assert len(calls) == 1
    (together * g).sum().backward()
    for k in range(0, 200, 23):
        leaf = theta[k].clone().requires_grad_()
        x = DecisionLayer(problems[k], decision="relaxed", rho=0.3)(leaf)
        (x * g[k]).sum().backward()
        torch.testing.assert_close(together[k], x, rtol=0, atol=1e-10)
        torch.testing.assert_close(leaves[k].grad, leaf.grad, rtol=0, atol=1e-8)


def test_exact_decisions_of_a_structure_are_each_objects_own():
    """Decisions, values and certificates by the right capacities, in the order of the call."""
    problems = knapsacks(7)
    theta = -torch.rand(7, 8, generator=seeded(4), dtype=torch.float64)
    layer = DecisionLayer([], certify="threshold", rho=1e-3)
    z = layer(list(theta), problems)
    for k, problem in enumerate(problems):
        expected = problem.solve(theta[k])
        assert torch.equal(z[k], expected.decision)
        assert float(layer.last.value[k]) == pytest.approx(float(expected.value))
    assert layer.last.threshold.shape == (7,)


def test_a_right_hand_side_without_interior_or_solution_is_dealt_with_alone():
    """Capacity 0 leaves one point, x = 0; a copy with the same weights still gets its own answer."""
    problems = [Knapsack(WEIGHTS, [0.0, 0.0]), *knapsacks(3)]
    theta = -torch.rand(4, 8, generator=seeded(5), dtype=torch.float64)
    x = DecisionLayer([], decision="relaxed", rho=0.3)(list(theta), problems)
    assert not x[0].any()
    alone = DecisionLayer(problems[2], decision="relaxed", rho=0.3)(theta[2])
    torch.testing.assert_close(x[2], alone, rtol=0, atol=1e-10)


class Tours(TravelingSalesman):
    """Nothing is known in common with others of its kind: the hardest case for a cache."""


def test_engines_are_bounded_and_left_behind_by_copies():
    """Of 300 different tours at most 64 stay in memory; a copy and a pickle decide the same."""
    layer = DecisionLayer([], decision="relaxed", lazy_rows=False, rho=0.5)
    seen = []
    for n in range(300):
        problem = Tours(4)
        seen.append(weakref.ref(problem))
        theta = torch.rand(6, generator=seeded(n), dtype=torch.float64)
        x = layer([theta], [problem])[0]
    gc.collect()
    assert sum(ref() is not None for ref in seen) <= 65
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(again([theta], [problem])[0], x)


def test_an_empty_batch_decides_nothing():
    """(0, n) in, (0, n) out, for decisions, relaxed decisions and losses."""
    problem = knapsacks(1)[0]
    theta = torch.zeros(0, 8, dtype=torch.float64, requires_grad=True)
    for decision in ("exact", "relaxed"):
        layer = DecisionLayer(problem, decision=decision)
        z = layer(theta)
        assert z.shape == (0, 8)
        z.sum().backward()
    loss = SmoothedSPOPlusLoss(DecisionLayer(problem))(theta, theta.detach(), theta.detach())
    assert loss.item() == 0.0


def test_an_infeasible_member_is_refused_in_words():
    """A negative capacity among them: an error that says so, not a NaN and not another's answer."""
    from diffcomb.problems import BinaryProgram

    good, bad = (BinaryProgram(G=WEIGHTS, h=[h, h]) for h in (20.0, -1.0))
    theta = -torch.rand(2, 8, generator=seeded(6), dtype=torch.float64)
    with pytest.raises(InfeasibleError):
        DecisionLayer([], decision="relaxed", rho=0.3)(list(theta), [good, bad])
