"""Controls: what a number is worth is seen beside the same number without the thing it should come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vistune.errors import InputError
from vistune.sample import Media, Sample


def blind(samples: Sequence[Sample]) -> list[Sample]:
    """The same questions, each shown another sample's media: what is left is answered without seeing.

    A sample gets the media of the next one, from half the set away on, that has as many and shows other ones. Raises
    `InputError` when there is none.
    """
    half = max(1, len(samples) // 2)
    swapped = []
    for index, sample in enumerate(samples):
        others = (samples[(index + half + step) % len(samples)].media for step in range(len(samples)))
        media = next((other for other in others if _differ(other, sample.media)), None)
        if media is None:
            raise InputError(f"{sample.where}: no other sample has as many media and shows different ones")
        swapped.append(replace(sample, media=media))
    return swapped


def _differ(first: tuple[Media, ...], second: tuple[Media, ...]) -> bool:
    return len(first) == len(second) and (not first or first != second)
