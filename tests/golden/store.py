"""One small file for thousands of short arrays: float64 numbers in a row, and an index of names in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

#: numbers, whole numbers (integers, booleans: compared exactly), or words
Value = np.ndarray | tuple[str, ...]


def save(path: Path, values: dict[str, Value]) -> None:
    """Write values by name; numbers keep every bit, integers below 2^53 too."""
    index: dict[str, object] = {}
    numbers: list[np.ndarray] = []
    for name, value in values.items():
        if isinstance(value, tuple):
            index[name] = {"words": value}
            continue
        index[name] = {"shape": value.shape, "whole": value.dtype.kind in "bi"}
        numbers.append(value.astype(np.float64).ravel())
    packed = np.frombuffer(json.dumps(index).encode(), dtype=np.uint8)
    np.savez_compressed(path, index=packed, numbers=np.concatenate(numbers))


def load(path: Path) -> dict[str, Value]:
    """What `save` wrote, in its order; whole numbers as int64."""
    with np.load(path) as file:
        index, numbers = json.loads(file["index"].tobytes()), file["numbers"]
    values: dict[str, Value] = {}
    start = 0
    for name, entry in index.items():
        if "words" in entry:
            values[name] = tuple(entry["words"])
            continue
        size = int(np.prod(entry["shape"], dtype=np.int64))
        array = numbers[start : start + size].reshape(entry["shape"])
        values[name] = array.astype(np.int64) if entry["whole"] else array
        start += size
    return values
