"""What the protocol measures is what the theory says."""

import math

import pandas as pd
import pytest

from diffcomb.protocol.report.claims import claims_table
from diffcomb.protocol.run.run_cells import run_cell
from diffcomb.protocol.setup.cells import Cell
from tests.protocol.tiny import tiny_protocol

SIZES = {"assignment": 4, "shortest_path": 4, "tsp": 6, "knapsack": 8, "coloring": 5}


def _rows(problem: str, group: str, method: str, trial: int = 0, size: str | None = None) -> list[dict]:
    size = size or str(SIZES.get(problem, 3))
    return run_cell(Cell(problem, size, trial, method, group), tiny_protocol(problem, int(size)))


def _values(rows: list[dict], quantity: str) -> list[float]:
    return [row["value"] for row in rows if row["quantity"] == quantity]


@pytest.mark.parametrize("problem", SIZES)
@pytest.mark.parametrize("trial", range(3))
def test_exactly_integral_below_the_threshold_informative_above(problem, trial):
    """On conv(Z): x_rho = z* with gradient zero at 0.5 and 0.999 rho_bar; neither at 1.001 and 3 rho_bar."""
    rows = _rows(problem, "rho_sweep", "vertices", trial)
    assert _values(rows, "exact") == [1, 1, 0, 0]
    assert _values(rows, "informative") == [0, 0, 1, 1]
    norms = _values(rows, "gradient_norm")
    assert norms[:2] == [0, 0]
    assert min(norms[2:]) > 0
    assert _values(rows, "relaxed_gap")[:2] == pytest.approx([0, 0], abs=1e-12)


@pytest.mark.parametrize("problem", SIZES)
def test_the_layer_agrees_with_finite_differences_of_its_relaxed_decision(problem):
    """Cosine 1 with x_rho at the same rho, and the note says that this is the function."""
    rows = _rows(problem, "gradient", "kkt")
    (own,) = [row for row in rows if row["quantity"] == "cosine_own"]
    assert own["value"] == pytest.approx(1, abs=1e-6)
    assert own["note"] == "relaxed decision at the same rho"
    assert _values(rows, "variance") == [0]


def test_start_times_agree_with_finite_differences_of_the_true_decision():
    """A job shop's gradient is that of its own start times."""
    (own,) = [row for row in _rows("jobshop", "gradient", "kkt") if row["quantity"] == "cosine_own"]
    assert own["value"] == pytest.approx(1, abs=1e-6)
    assert own["note"] == "start times"


def test_dropping_the_active_constraints_loses_the_direction():
    """The ablation's cosine is well below 1, the full method's is 1; the linear program has no gradient."""
    (full,) = _values(_rows("tsp", "ablation", "full"), "cosine")
    (dropped,) = _values(_rows("tsp", "ablation", "no constraints"), "cosine")
    assert full == pytest.approx(1, abs=1e-6)
    assert dropped < 0.7
    assert _values(_rows("tsp", "ablation", "no penalty"), "relative_norm") == [0]


def test_exact_decisions_have_gap_zero_against_a_proven_optimum():
    """For the layer and for every oracle that proves."""
    for method in ("kkt", "oracle=highs", "oracle=hungarian"):
        (gap,) = [row for row in _rows("assignment", "gap", method) if row["quantity"] == "gap"]
        assert gap["value"] == pytest.approx(0, abs=1e-9)
        assert gap["note"] == "proven optimum"


def test_what_does_not_apply_is_a_row_with_the_reason():
    """A relaxed decision of start times does not exist; the run goes on."""
    rows = _rows("jobshop", "rho_sweep", "kkt")
    assert rows[0]["quantity"] == "not applicable"
    assert "start times" in rows[0]["note"].lower()
    assert rows[0]["value"] is None


def test_training_reduces_the_cost_of_the_stream():
    """After two epochs the cumulative cost reduction is the drop of the regret."""
    rows = _rows("assignment", "end_to_end", "spo_plus")
    regrets = _values(rows, "regret")
    reductions = _values(rows, "cost_reduction")
    assert regrets[0] - regrets[-1] == pytest.approx(reductions[-1])
    assert all(math.isfinite(value) for value in regrets)


def test_claims_are_judged_by_the_rows():
    """Exact below the threshold only: corrected form; one wrong solve turns the verdict."""
    rows = pd.DataFrame(_rows("assignment", "rho_sweep", "vertices"))
    claim = "a large strongly convex penalty makes the relaxation exact"
    table = claims_table(rows).set_index("claim")
    assert table.loc[claim, "verdict"] == "holds in corrected form"
    assert "100.0% of 2 solves below" in table.loc[claim, "number"]
    rows.loc[(rows["quantity"] == "exact") & (rows["x"] < 1), "value"] = 0.0
    assert claims_table(rows).set_index("claim").loc[claim, "verdict"] == "does not hold"
