"""Write the golden file from the checkout this runs in: `python -m tests.golden.record`.

Once, before a rebuild of the inside. Recording again makes every later difference the expected answer,
so it is right only where an answer was wrong, and the commit says which.
"""

from __future__ import annotations

from pathlib import Path

import torch

from tests.golden.cases import CASES
from tests.golden.inputs import Inputs
from tests.golden.store import Value, save

FILE = Path(__file__).with_name("golden.npz")
#: before the name of an input in the file; names of answers start with their case
INPUT = "input: "
#: between a case and what it found
SEPARATOR = " -> "


def record(path: Path = FILE) -> None:
    torch.set_num_threads(1)
    inputs = Inputs({})
    answers: dict[str, Value] = {}
    for case, run in CASES.items():
        for key, value in run(inputs).items():
            answers[f"{case}{SEPARATOR}{key}"] = value if isinstance(value, tuple) else value.detach().numpy()
    save(path, {INPUT + name: value.numpy() for name, value in inputs.drawn.items()} | answers)
    print(f"{len(CASES)} cases, {len(answers)} answers, {path.stat().st_size / 1e3:.0f} kB in {path}")


if __name__ == "__main__":
    record()
