"""Pseudo-random words in compiled code: numba's own generator is one per thread, not per call."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled

#: a state to start from
FIRST = 88172645463325253


@compiled
def next_word(state: np.uint64) -> np.uint64:
    """The next state, 64 pseudo-random bits, never 0 (Marsaglia 2003)."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    return state
