"""Models written by others come back as they were, whatever the format."""

import highspy
import numpy as np
import pytest

from diffcomb.data import MixedIntegerModel, read_model
from diffcomb.errors import InfeasibleError, InvalidInstanceError
from diffcomb.quiet_highs import QuietHighs


def random_model(rng: np.random.Generator) -> highspy.Highs:
    """All kinds of rows, bounds and types; a quadratic objective now and then."""
    model, n = QuietHighs(), int(rng.integers(1, 7))
    for j in range(n):
        lower = rng.choice([0.0, -np.inf, 1.0, -2.5])
        model.addVar(lower, max(lower, rng.choice([np.inf, 1.0, 4.0, 7.5])))
        model.passColName(j, f"x_{j}")
        model.changeColCost(j, rng.choice([1.0, -1.5, 1e-3, 1e6]))
        if rng.random() < 0.5:
            model.changeColIntegrality(j, highspy.HighsVarType.kInteger)
    for i in range(int(rng.integers(1, 6))):
        columns = rng.choice(n, rng.integers(1, n + 1), replace=False).astype(np.int32)
        low, up = [(-np.inf, 3.0), (1.0, np.inf), (2.0, 2.0), (-1.0, 4.0)][rng.integers(4)]
        model.addRow(low, up, len(columns), columns, rng.choice([1.0, -1.0, 2.5, 1e3, 0.1], len(columns)))
        model.passRowName(i, f"r{i}")
    if rng.random() < 0.5:
        model.changeObjectiveSense(highspy.ObjSense.kMaximize)
    model.changeObjectiveOffset(float(rng.integers(-3, 4)))
    if rng.random() < 0.3:
        hessian = highspy.HighsHessian()
        hessian.dim_, hessian.format_ = n, highspy.HessianFormat.kTriangular
        hessian.start_, hessian.index_ = np.arange(n + 1, dtype=np.int32), np.arange(n, dtype=np.int32)
        hessian.value_ = rng.integers(1, 4, n).astype(float)
        model.passHessian(hessian)
    return model


def described(model: MixedIntegerModel) -> list:
    """Everything of a model, columns and rows in an order of their own."""
    order = np.argsort(np.array(model.names, dtype=object))
    rows = [
        sorted(
            (*row.tolist(), float(side)) for row, side in zip(matrix.toarray()[:, order], sides, strict=True)
        )
        for matrix, sides in ((model.A, model.b), (model.G, model.h))
    ]
    vectors = [v[order].tolist() for v in (model.costs, model.lower, model.upper, model.integer)]
    Q = None if model.Q is None else model.Q.toarray()[np.ix_(order, order)].tolist()
    return [sorted(model.names), model.sense, model.constant, rows, vectors, Q]


@pytest.mark.parametrize("suffix", ["mps", "lp"])
def test_files_written_by_highs_are_the_model_it_holds(tmp_path, suffix):
    """60 random models; columns of LP files in another order, matched by name."""
    rng, path = np.random.default_rng(0), str(tmp_path / f"m.{suffix}")
    compared = 0
    for _ in range(60):
        model = random_model(rng)
        try:
            expected = described(read_model(model))
        except InfeasibleError:
            continue
        model.writeModel(path)
        assert described(read_model(path)) == expected
        compared += 1
    assert compared > 30


def test_models_of_highs_are_copied():
    """What the caller does to his model later changes nothing."""
    model = random_model(np.random.default_rng(1))
    read = read_model(model)
    before = described(read)
    model.changeColCost(0, 77.0)
    model.changeColBounds(0, 0.0, 0.0)
    assert described(read) == before


def test_patterns_choose_columns_by_name():
    """* and ? are wildcards, brackets are not; a pattern without a column is refused."""
    model = QuietHighs()
    for j, name in enumerate(["price[1]", "price[2]", "Price[3]", "p"]):
        model.addVar(0, 1)
        model.passColName(j, name)
    read = read_model(model)
    assert read.columns_named(["price[*]"]).tolist() == [0, 1]
    assert read.columns_named("p").tolist() == [3]
    assert read.columns_named(["*[3]", "price[?]"]).tolist() == [0, 1, 2]
    with pytest.raises(
        InvalidInstanceError, match=r"No variable is called 'cost\*'; the first are price\[1\]"
    ):
        read.columns_named(["cost*"])


def test_semicontinuous_variables_of_a_model_are_refused():
    """As in files."""
    model = QuietHighs()
    model.addVar(1, 2)
    model.changeColIntegrality(0, highspy.HighsVarType.kSemiContinuous)
    with pytest.raises(InvalidInstanceError, match="semi-continuous"):
        read_model(model)


def test_a_model_without_variables_is_refused():
    """There is nothing to decide."""
    with pytest.raises(InvalidInstanceError, match="has no variables"):
        read_model(QuietHighs())
