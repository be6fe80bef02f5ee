"""Controls: what a number is worth is seen beside the same number without the thing it should come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vistune.errors import InputError
from vistune.sample import Media, Sample


def blind(samples: Sequence[Sample], seed: int = 0) -> list[Sample]:
    """The same questions, each shown another sample's media: what is left is answered without seeing.

    Media are dealt out at random, since neighbours (and those any fixed distance away, where data is sorted by class) are
    more or less alike than chance. A sample that would get its own gets those of the next one that has as many and shows
    other ones. Raises `InputError` when there is none.
    """
    count = len(samples)
    dealt = np.random.default_rng(seed).permutation(count)
    swapped = []
    for index, sample in enumerate(samples):
        others = (samples[int(dealt[(index + step) % count])].media for step in range(count))
        media = next((other for other in others if _differ(other, sample.media)), None)
        if media is None:
            raise InputError(f"{sample.where}: no other sample has as many media and shows different ones")
        swapped.append(replace(sample, media=media))
    return swapped


def _differ(first: tuple[Media, ...], second: tuple[Media, ...]) -> bool:
    return len(first) == len(second) and (not first or first != second)
