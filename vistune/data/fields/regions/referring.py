"""Phrases and the regions they mean, as conversations in either direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from vistune.data.fields.questions import Questions
from vistune.errors import InputError
from vistune.sample import Media, MediaRef, Part, Region, Sample, Text, Turn

Direction: TypeAlias = Literal["locate", "describe"]

WORDINGS: dict[Direction, str] = {"locate": "Where is {phrase}?", "describe": "What is at {region}?"}
_SLOT: dict[Direction, str] = {"locate": "{phrase}", "describe": "{region}"}


def wordings(direction: Direction, question: str | list[str] | None) -> Questions:
    """The questions of a direction. Raises `InputError` for a wording without its `{phrase}` or `{region}`."""
    questions = Questions(WORDINGS[direction] if question is None else question)
    for wording in questions.wordings:
        if wording.count(_SLOT[direction]) != 1:
            raise InputError(f"the question {wording!r} must hold {_SLOT[direction]} once: task is {direction!r}")
    return questions


def referring_sample(
    identity: str,
    image: Media,
    regions: Sequence[Region],
    direction: Direction,
    questions: Questions,
    origin: str,
) -> Sample:
    """A question and an answer for each distinct phrase (`Region.label`): phrase to regions, or each region to phrase."""
    turns: list[Turn] = []
    wording = questions.of(identity)
    if direction == "locate":
        for phrase in dict.fromkeys(region.label or "" for region in regions):
            found = [region for region in regions if (region.label or "") == phrase]
            answer: list[Part] = [found[0]]
            for region in found[1:]:
                answer += [Text(", "), region]
            turns += [Turn("user", (Text(wording.replace("{phrase}", phrase)),)), Turn("assistant", tuple(answer))]
    else:
        before, after = wording.split("{region}")
        for region in regions:
            shown = Region(region.media, region.box, region.point, region.mask)
            asked = [part for part in (Text(before), shown, Text(after)) if not isinstance(part, Text) or part.text]
            turns += [Turn("user", tuple(asked)), Turn("assistant", (Text(region.label or ""),))]
    if turns:
        turns[0] = Turn("user", (MediaRef(0), *turns[0].parts))
    return Sample(identity, (image,), tuple(turns), tuple(regions), origin=origin)
