"""Demonstrations before a sample: their media and turns first, in one conversation (Flamingo, Otter)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vistune.errors import InputError
from vistune.sample import MediaRef, Part, Produce, Region, Sample, Text, Turn


def in_context(sample: Sample, shots: Sequence[Sample], *, taught: bool = False) -> Sample:
    """The sample with `shots` in front of it, in their order; their answers are supervised only when `taught`.

    A shot that ends in a question is answered by the first of its `answers`. Raises `InputError` for a shot without an answer.
    """
    media, turns = [medium for shot in shots for medium in shot.media], list[Turn]()
    start = 0
    for shot in shots:
        turns += [replace(turn, parts=_shifted(turn.parts, start), train=turn.train and taught) for turn in _answered(shot)]
        # Media of all shots stand in front, so indices of later ones move up.
        start += len(shot.media)
    turns += [replace(turn, parts=_shifted(turn.parts, start)) for turn in sample.turns]
    regions = tuple(replace(region, media=region.media + start) for region in sample.regions)
    return replace(sample, media=(*media, *sample.media), turns=tuple(turns), regions=regions)


def _answered(shot: Sample) -> tuple[Turn, ...]:
    if shot.turns and shot.turns[-1].role == "assistant":
        return shot.turns
    if not shot.turns or not shot.answers:
        raise InputError(f"{shot.where} has no question and answer to show before another")
    return (*shot.turns, Turn("assistant", (Text(shot.answers[0]),)))


def _shifted(parts: tuple[Part, ...], by: int) -> tuple[Part, ...]:
    return tuple(_moved(part, by) for part in parts)


def _moved(part: Part, by: int) -> Part:
    if isinstance(part, Region):
        return replace(part, media=part.media + by)
    return replace(part, index=part.index + by) if isinstance(part, MediaRef | Produce) else part
