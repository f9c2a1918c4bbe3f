"""Arrays and tables in, decisions out: no worse than least squares when held out, the same after a save."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from diffcomb import DecisionRegressor, regret
from diffcomb.errors import InvalidCostsError, SolveFailedError, UnknownNameError, UnsupportedError
from diffcomb.problems import BlackBox, Knapsack, MixedIntegerProgram, ShortestPath


def minutes(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Minutes from 1 to 40 on a grid, a steep function of features of very different sizes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 4)) * [1.0, 100.0, 1e-3, 1.0] + [0.0, 500.0, 0.0, 7.0]
    X[:, 3] = 7.0  # constant
    weights = np.random.default_rng(99).normal(size=(3, 24))
    z = (X[:, :3] - [0.0, 500.0, 0.0]) / [1.0, 100.0, 1e-3]
    return X, np.clip(8 * np.exp(0.5 * z @ weights), 1.0, 40.0)


def test_decisions_improve_on_least_squares_and_survive_a_save(tmp_path):
    """On fresh rows the regret is below that of the start; loaded elsewhere it predicts the same."""
    problem = ShortestPath.grid(4, 4)
    X, C = minutes(300)
    fitted = DecisionRegressor(problem, epochs=15).fit(X, C)
    assert fitted.regret_ <= fitted.least_squares_regret_
    fresh = minutes(300, seed=1)
    least_squares = DecisionRegressor(problem, epochs=0).fit(X, C)
    assert fitted.score(*fresh) > least_squares.score(*fresh)
    assert problem.is_feasible(torch.from_numpy(fitted.decide(fresh[0]))).all()
    path = tmp_path / "model.pt"
    fitted.save(path)
    np.save(tmp_path / "x.npy", fresh[0])
    code = (
        "import sys, numpy as np; from diffcomb import DecisionRegressor;"
        "m = DecisionRegressor.load(sys.argv[1]); np.save(sys.argv[3], m.predict(np.load(sys.argv[2])))"
    )
    files = [str(path), str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]
    subprocess.run([sys.executable, "-c", code, *files], check=True)
    np.testing.assert_allclose(np.load(files[2]), fitted.predict(fresh[0]), rtol=1e-12)


def test_tables_keep_their_names():
    """DataFrames in: predictions are a DataFrame with the rows and columns they were fitted with."""
    problem = Knapsack([3, 5, 2, 7], 9)
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", "b"], index=range(100, 140))
    C = pd.DataFrame(-np.exp(X.to_numpy() @ rng.normal(size=(2, 4))), columns=list("wxyz"))
    predicted = DecisionRegressor(problem, hidden=(8,), epochs=2).fit(X, C).predict(X)
    assert list(predicted.columns) == list("wxyz")
    assert list(predicted.index) == list(X.index)


def test_a_gain_is_scored_in_its_own_sense():
    """sense="max": perfect predictions have regret 0 and score 1, reversed ones do worse."""
    problem = MixedIntegerProgram(G=[[2.0, 3.0, 4.0, 5.0]], h=[7.0], sense="max")
    x = torch.rand(20, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.1
    assert regret(torch.nn.Identity(), problem, x, x) == 0.0
    assert regret(lambda v: 1.2 - v, problem, x, x) > 0.05
    model = DecisionRegressor(problem, epochs=0).fit(x, x)
    assert model.score(x, x) == pytest.approx(1.0, abs=1e-4)


def test_a_function_is_fitted_by_its_answers_alone(tmp_path):
    """BlackBox: SPO+ by itself; the function is not in the file and has to be given again."""
    problem = BlackBox(3, lambda c: (c < 0).astype(float))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2))
    C = X @ rng.normal(size=(2, 3))
    model = DecisionRegressor(problem, epochs=1).fit(X, C)
    assert model.score(X, C) > 0.99
    model.save(tmp_path / "m.pt")
    with pytest.raises(UnsupportedError, match="problem="):
        DecisionRegressor.load(tmp_path / "m.pt")
    again = DecisionRegressor.load(tmp_path / "m.pt", problem)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_bad_input_is_refused_in_words():
    """Names, shapes, text, NaN and an unfitted model."""
    problem = Knapsack([3, 5, 2, 7], 9)
    X, C = np.ones((10, 2)), -np.ones((10, 4))
    with pytest.raises(UnknownNameError, match="auto"):
        DecisionRegressor(problem, loss="spo")
    with pytest.raises(SolveFailedError, match="fit"):
        DecisionRegressor(problem).predict(X)
    with pytest.raises(InvalidCostsError, match="rows"):
        DecisionRegressor(problem).fit(X[:4], C[:4])
    with pytest.raises(InvalidCostsError, match=r"\(rows, 4\)"):
        DecisionRegressor(problem).fit(X, C[:, :3])
    with pytest.raises(InvalidCostsError, match="numbers"):
        DecisionRegressor(problem).fit([["a", "b"]] * 10, C)
    X[3, 1] = np.nan
    with pytest.raises(InvalidCostsError, match="row 3, column 1"):
        DecisionRegressor(problem).fit(X, C)
