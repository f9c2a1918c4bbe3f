"""Every example runs, is short, and learns."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[1] / "examples"
EXAMPLES = sorted(path.stem for path in ROOT.glob("*.py") if path.stem != "generator")


@pytest.mark.parametrize("name", EXAMPLES)
def test_regret_falls_to_less_than_half(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained through its decisions, a network loses less than half of what an untrained one loses."""
    monkeypatch.syspath_prepend(str(ROOT))
    torch.manual_seed(0)
    ran = runpy.run_path(str(ROOT / f"{name}.py"))
    assert ran["after"] < 0.5 * ran["before"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_training_takes_twenty_lines(name: str) -> None:
    """From the problem to the trained network, without the model's own data and functions."""
    tree = ast.parse((ROOT / f"{name}.py").read_text())
    made = next(
        k
        for k, node in enumerate(tree.body)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "problem"
    )
    lines = {line for node in tree.body[made:] for line in range(node.lineno, node.end_lineno + 1)}
    assert len(lines) <= 20
