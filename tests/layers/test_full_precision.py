"""State that is never cast."""

import torch
from torch import nn

from diffcomb.layers import FullPrecision


class _Counter(FullPrecision):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.full((), 1.0 + 1e-12, dtype=torch.float64))
        self.inner = nn.Linear(2, 2)


def test_casting_a_model_leaves_the_state_of_its_controllers():
    """half, bfloat16 and float change the network beside it, not the state nor what is below it."""
    counter = _Counter()
    model = nn.Sequential(nn.Linear(2, 2), counter)
    for cast in (model.half, model.bfloat16, model.float):
        cast()
        assert counter.count.dtype == torch.float64
        assert float(counter.count) == 1.0 + 1e-12
        assert counter.inner.weight.dtype == torch.float32
    model.half()
    assert model[0].weight.dtype == torch.float16


def test_devices_change_as_always():
    """The meta device stands in for any other."""
    counter = _Counter().to("meta")
    assert counter.count.device.type == counter.inner.weight.device.type == "meta"
