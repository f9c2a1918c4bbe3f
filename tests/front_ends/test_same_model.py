"""Every front end reads the model that its own language solves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffcomb.problems import MixedIntegerProgram
from tests.front_ends.models import LANGUAGES, PREDICTED, Spec, random_spec, with_costs, written
from tests.reference import decide

SEEDS = range(4)


def read(language: str, spec: Spec) -> MixedIntegerProgram:
    """The front end of a language on the model written in it."""
    write, _ = LANGUAGES[language]
    model, predicted = write(spec)
    return getattr(MixedIntegerProgram, f"from_{language}")(model, predicted)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("seed", SEEDS)
def test_optimal_value_is_that_of_the_language_itself(language: str, seed: int) -> None:
    """The model's own costs, and two predictions for three of them, have the value the language finds."""
    spec = random_spec(seed)
    write, solve = LANGUAGES[language]
    problem = read(language, spec)
    predictions = np.random.default_rng(seed).normal(size=(2, 3))
    for theta in (spec.costs[PREDICTED], *predictions):
        model, _ = write(with_costs(spec, theta))
        assert decide(problem, theta).value.item() == pytest.approx(solve(model), abs=1e-6)


@pytest.mark.parametrize("language", LANGUAGES)
def test_decisions_come_back_under_the_users_names(language: str) -> None:
    """Names belong to the values of their own variables: the objective is the sum over names."""
    spec = random_spec(1)
    problem = read(language, spec)
    assert set(problem.names) == set(spec.names)
    assert [problem.names.index(spec.names[j]) for j in PREDICTED] == [
        list(row).index(1) for row in np.abs(problem.cost_map.matrix.toarray().T)
    ]
    found = decide(problem)
    by_name = problem.by_name(found.decision)
    x = np.array([by_name[name].item() for name in spec.names])
    assert spec.costs @ x + spec.constant == pytest.approx(found.value.item(), abs=1e-6)
    assert (spec.matrix @ x <= spec.high + 1e-6).all()
    assert (spec.matrix @ x >= spec.low - 1e-6).all()
    assert problem.is_feasible(found.decision)


@pytest.mark.parametrize("language", LANGUAGES)
def test_own_costs_and_predicted_names_are_in_the_given_order(language: str) -> None:
    """theta follows the order in which the user named the variables, not that of the model."""
    spec = random_spec(2)
    problem = read(language, spec)
    assert problem.predicted_names == tuple(spec.names[j] for j in PREDICTED)
    torch.testing.assert_close(problem.costs, torch.from_numpy(spec.costs[PREDICTED]))


@pytest.mark.parametrize("suffix", ["mps", "lp"])
@pytest.mark.parametrize("seed", SEEDS)
def test_files_are_matched_by_name(suffix: str, seed: int, tmp_path) -> None:
    """A file that lists its columns in another order still predicts the costs of the variables named."""
    spec = random_spec(seed)
    path = written(spec, tmp_path / f"model.{suffix}")
    names = [spec.names[j] for j in PREDICTED]
    problem = MixedIntegerProgram.from_mps(path, predicted=names)
    theta = np.random.default_rng(seed).normal(size=3)
    _, solve = LANGUAGES["mps"]
    model, _ = LANGUAGES["mps"][0](with_costs(spec, theta))
    assert problem.predicted_names == tuple(names)
    assert decide(problem, theta).value.item() == pytest.approx(solve(model), abs=1e-6)
