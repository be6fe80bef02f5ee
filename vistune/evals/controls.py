"""Controls: what a number is worth is seen beside the same number without the thing it should come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vistune.errors import InputError
from vistune.sample import Media, Region, Sample, Text


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


def without(sample: Sample, kind: str) -> Sample:
    """The same question with the media of a kind left away: what is answered from the others alone.

    Regions on what is left away go, too. Raises `InputError` where the sample has no such medium.
    """
    kept = [index for index, medium in enumerate(sample.media) if medium.kind != kind]
    if len(kept) == len(sample.media):
        raise InputError(f"{sample.where}: it shows no {kind} that could be left away")
    place = {old: new for new, old in enumerate(kept)}
    turns = tuple(replace(turn, parts=tuple(_moved(turn.parts, place))) for turn in sample.turns)
    regions = tuple(_moved(sample.regions, place))
    return replace(sample, media=tuple(sample.media[index] for index in kept), turns=turns, regions=regions)


def _moved(parts: Iterable[Any], place: Mapping[int, int]) -> Iterator[Any]:
    """The parts that do not refer to what is left away, with the new numbers of media."""
    for part in parts:
        if isinstance(part, Text):
            yield part
        elif isinstance(part, Region):
            if part.media in place:
                yield replace(part, media=place[part.media])
        elif part.index in place:
            yield replace(part, index=place[part.index])
