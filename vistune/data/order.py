"""In which order samples are seen: a pure function of seed and place, so that any place can be returned to."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def sample_at(place: int, size: int, seed: int) -> int:
    """The index of the sample at `place` of an endless run over `size` samples, each epoch in an order of its own."""
    epoch, offset = divmod(place, size)
    return int(_permutation(epoch, size, seed)[offset])


@lru_cache(maxsize=4)
def _permutation(epoch: int, size: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(size)
