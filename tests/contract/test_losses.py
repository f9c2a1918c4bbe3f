"""What every loss promises: lists, checkpoints, single vectors and dtypes."""

import io

import pytest
import torch

from tests.losses.cases import data, gradient_of
from tests.registry import LOSSES


@pytest.mark.parametrize("name", LOSSES)
def test_a_list_of_vectors_costs_the_same_as_the_batch(name):
    """Vectors of one problem given as a list are regrouped into one block."""
    problem, theta, costs, z = data("assignment")
    fields = {"costs": costs, "decisions": z}
    first, second = (LOSSES[name](problem) for _ in range(2))
    supervision = [fields[f] for f in first.needs]
    torch.testing.assert_close(
        second(list(theta), *(list(s) for s in supervision)), first(theta, *supervision)
    )


@pytest.mark.parametrize("name", LOSSES)
def test_training_goes_on_after_a_checkpoint(name):
    """Noise, pools, networks and optimisers are in the state_dict: the next gradient is the same."""
    problem, theta, costs, z = data("assignment")
    fields = {"costs": costs, "decisions": z}
    first = LOSSES[name](problem)
    supervision = [fields[f] for f in first.needs]
    gradient_of(first, theta, *supervision)
    buffer = io.BytesIO()
    torch.save(first.state_dict(), buffer)
    buffer.seek(0)
    resumed = LOSSES[name](problem)
    resumed.load_state_dict(torch.load(buffer, weights_only=True))
    torch.testing.assert_close(
        gradient_of(resumed, theta, *supervision), gradient_of(first, theta, *supervision)
    )


@pytest.mark.parametrize("name", LOSSES)
def test_single_vectors_and_float32(name):
    """A batch of one costs the same as its single vector; float32 in, float32 gradient out."""
    problem, theta, costs, z = data("assignment")
    fields = {"costs": costs.float(), "decisions": z.float()}
    losses = [LOSSES[name](problem) for _ in range(2)]
    supervision = [fields[f] for f in losses[0].needs]
    batch = losses[0](theta[:1].float(), *(s[:1] for s in supervision))
    leaf = theta[0].float().requires_grad_()
    single = losses[1](leaf, *(s[0] for s in supervision))
    torch.testing.assert_close(batch, single)
    single.backward()
    assert leaf.grad.dtype == torch.float32
    assert bool(torch.isfinite(leaf.grad).all())
