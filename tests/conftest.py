"""Settings every test runs under."""

import os

# before anything imports wandb: no network, no files outside the test's own folder
os.environ["WANDB_MODE"] = "disabled"

import pytest
import torch
from hypothesis import settings

settings.register_profile("diffcomb", deadline=None, max_examples=25, derandomize=True)
settings.load_profile("diffcomb")


@pytest.fixture(autouse=True)
def _one_thread():
    """Small tensors: more threads only fight each other."""
    torch.set_num_threads(1)
