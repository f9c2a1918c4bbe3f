"""What public calls answer is what they answered before: decisions, x_rho, pull-backs, faces, statuses."""

import numpy as np
import pytest
import torch

from tests.golden.cases import CASES
from tests.golden.inputs import Inputs
from tests.golden.record import FILE, INPUT, SEPARATOR
from tests.golden.store import load

_FILE = load(FILE)
INPUTS = {
    name.removeprefix(INPUT): torch.from_numpy(v) for name, v in _FILE.items() if name.startswith(INPUT)
}
GOLDEN: dict = {}
for _name, _value in _FILE.items():
    if not _name.startswith(INPUT):
        _case, _key = _name.split(SEPARATOR)
        GOLDEN.setdefault(_case, {})[_key] = _value


@pytest.mark.parametrize("case", GOLDEN)
def test_answers_as_recorded(case):
    """Numbers to 1e-9 of the largest of their kind; whole numbers and words exactly."""
    found = CASES[case](Inputs(INPUTS))
    assert GOLDEN[case].keys() <= found.keys()
    for key, expected in GOLDEN[case].items():
        value = found[key]
        if isinstance(expected, tuple):
            assert value == expected, key
        elif expected.dtype == np.int64:
            assert np.array_equal(value.long().numpy(), expected), key
        else:
            # pull-backs that are zero must stay so, up to rounding
            scale = max(float(np.abs(expected).max(initial=0.0)), 1e-3)
            np.testing.assert_allclose(
                value.detach().numpy(), expected, rtol=0, atol=1e-9 * scale, err_msg=key
            )
