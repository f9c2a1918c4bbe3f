"""HiGHS without output, whoever else uses it."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
import highspy
import torch

from diffcomb.problems import BinaryProgram

other = highspy.Highs()
other.setOptionValue("output_flag", False)
other.setOptionValue("threads", 2)
other.addVariable(0.0, 1.0, 1.0)
other.run()
problem = BinaryProgram(G=[[1, 1]], h=[1])
print(problem.solve(torch.tensor([-1.0, -2.0]), "highs").decision.tolist())
"""


def test_solves_after_another_user_of_highs_took_two_threads() -> None:
    """HiGHS shares its number of threads over a process; solves here must not fail for it."""
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[0.0, 1.0]", done.stderr
