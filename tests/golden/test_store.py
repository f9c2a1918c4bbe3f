"""The file of golden answers keeps them to the last bit."""

import numpy as np

from tests.golden.store import load, save


def test_a_saved_file_is_read_back_bit_for_bit(tmp_path):
    """Names in order; numbers, scalars, empty arrays, whole numbers, booleans and words."""
    values = {
        "x": np.random.default_rng(0).normal(size=(3, 2)) * 1e-7,
        "value": np.array(0.1),
        "empty": np.zeros((2, 0)),
        "whole": np.array([3, -(2**52)]),
        "yes": np.array([True, False]),
        "statuses": ("optimal", "feasible (limit reached, not proven)"),
    }
    save(tmp_path / "file.npz", values)
    read = load(tmp_path / "file.npz")
    assert list(read) == list(values)
    assert read["statuses"] == values["statuses"]
    for name in ("x", "value", "empty", "whole", "yes"):
        assert read[name].shape == values[name].shape
        assert np.array_equal(read[name], values[name])
    assert read["whole"].dtype == read["yes"].dtype == np.int64
