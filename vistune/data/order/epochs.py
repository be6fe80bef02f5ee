"""In which order samples are seen: a pure function of seed and place, so that any place can be returned to."""

from __future__ import annotations

from vistune.data.order.permutation import permuted


def sample_at(place: int, size: int, seed: int) -> int:
    """The index of the sample at `place` of an endless run over `size` samples, each epoch in an order of its own."""
    epoch, offset = divmod(place, size)
    return permuted(offset, size, seed, epoch)
