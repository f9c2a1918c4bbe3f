"""State that keeps its precision when a model is cast."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn


class FullPrecision(nn.Module):
    """A module whose parameters and buffers move between devices, but are never cast.

    `model.half()`, `.bfloat16()` and Lightning's true precisions cast all that floats in a model. State
    that is counted up in small steps (a controller, an adaptive step) or fitted does not survive that:
    1 + 0.001 is 1 in bfloat16. Costs and gradients keep the model's dtype all the same.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> FullPrecision:
        def moved(tensor: Tensor) -> Tensor:
            out = fn(tensor)
            # cast back where only the device may change; what was lost on the way is taken from the start
            return tensor.to(out.device) if out.dtype != tensor.dtype else out

        super()._apply(moved, recurse)
        return self
