"""From text to parts: boxes written in a conversation become regions, checked against the picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from vistune.construction.boxes import BoxError, Notation, NotationName, overlap
from vistune.construction.record import Operator, Record, each
from vistune.sample import Box, Part, Region, Role, Text, Turn

_NEAR = 0.5


def ground(notation: NotationName = "unit", square: bool = False, known: bool = False, least: int = 0) -> Operator:
    """Replace boxes in the texts by regions.

    A box that is reversed or outside rejects the record; with `known`, so does one that overlaps none of the record's objects
    and regions by an IoU of 0.5; `least` is how many boxes a record must have at least.
    """

    def place(record: Record) -> Record:
        written = Notation(notation, record.size, square)
        boxes = [region.bounds() for region in (*record.facts.objects, *record.facts.regions, *record.facts.ocr)]
        try:
            turns = tuple(replace(turn, parts=_parts(turn, written)) for turn in record.turns)
        except BoxError as error:
            return record.rejected("box", str(error))
        found = [part.bounds() for turn in turns for part in turn.parts if isinstance(part, Region)]
        if len(found) < least:
            return record.rejected("no box", f"{len(found)} of {least}")
        if known and not all(_matches(box, boxes) for box in found):
            return record.rejected("box", "matches no known object")
        return replace(record, turns=turns)

    return each(place)


def _parts(turn: Turn, notation: Notation) -> tuple[Part, ...]:
    parts: list[Part] = []
    for part in turn.parts:
        if not isinstance(part, Text):
            parts.append(part)
            continue
        end = 0
        for start, stop, box in notation.find(part.text):
            parts += [Text(part.text[end:start]), Region(box=box)]
            end = stop
        parts.append(Text(part.text[end:]))
    return tuple(part for part in parts if not isinstance(part, Text) or part.text)


def no_boxes(*roles: Role) -> Operator:
    """Reject a conversation in which one of these roles (default: anyone) writes a box, for tasks that speak in words alone."""

    def check(record: Record) -> Record:
        for turn in record.turns:
            if turn.role in (roles or ("user", "assistant")) and _holds_box(turn.text):
                return record.rejected("boxes", turn.text[:60])
        return record

    return each(check)


def _holds_box(text: str) -> bool:
    try:
        return any(True for _ in Notation().find(text))
    except BoxError:
        return True


def _matches(box: Box, boxes: Sequence[Box]) -> bool:
    return any(overlap(box, other) >= _NEAR for other in boxes)


def strip_tags(*names: str) -> Operator:
    """Remove `<name>` and `</name>` from the texts, once they have served to mark something."""
    pattern = re.compile("|".join(rf"</?{re.escape(name)}>" for name in names))

    def strip(record: Record) -> Record:
        turns = tuple(
            replace(
                turn, parts=tuple(Text(pattern.sub("", part.text)) if isinstance(part, Text) else part for part in turn.parts)
            )
            for turn in record.turns
        )
        return replace(record, turns=turns)

    return each(strip)
