"""Media inside dialogues: captioned placeholders become media shown by the user or to be produced by the assistant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from vistune.construction.kit import Kit
from vistune.construction.parsers.media_dialogues import TAG, TAGS
from vistune.construction.record import Operator, Record, each
from vistune.sample import Media, MediaRef, Part, Produce, Text, Turn

_NUMBERED = re.compile(r"<img([0-9]{1,6})>")
_LOOSE = re.compile(r"<\s*/?\s*(?:img|image|video|audio)(?:[\s_#-]*\d|\b[^<>]*>)", re.IGNORECASE)


def fill_captioned(kit: Kit) -> Operator:
    """`<Image>caption</Image>` (also Video, Audio): make or find the medium, show it or ask for it (MosIT, T2M).

    The caption of a medium to be produced stays in the text before its place, where a model learns to say what it makes.
    A tag that is left over rejects the record.
    """
    brush = kit.brush()

    def replaced(record: Record) -> Record:
        loose = _left_over(record, TAG)
        if loose:
            return record.rejected("placeholder without a medium", loose)
        media: list[Media] = list(record.media)
        turns = tuple(replace(turn, parts=_captioned(turn, media, brush.paint)) for turn in record.turns)
        return replace(record, media=tuple(media), turns=turns)

    return each(replaced)


def _captioned(turn: Turn, media: list[Media], paint: Callable[[str, str], Media]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for piece in _pieces(turn.text, TAG):
        if isinstance(piece, str):
            parts.append(Text(piece))
            continue
        media.append(paint(TAGS[piece[1]], piece[2].strip()))
        parts += [MediaRef(len(media) - 1)] if turn.role == "user" else [Text(piece[2].strip()), Produce(len(media) - 1)]
    return tuple(parts)


def fill_numbered(least: int = 1) -> Operator:
    """`<imgN>`: the record's own picture N, shown by the user or produced by the assistant (TextBind).

    A number without a picture, a placeholder written in another way, or a dialogue that shows fewer than `least` pictures
    rejects the record.
    """

    def replaced(record: Record) -> Record:
        numbers = [int(match) for turn in record.turns for match in _NUMBERED.findall(turn.text)]
        wrong = [number for number in numbers if not 0 <= number < len(record.media)]
        loose = _left_over(record, _NUMBERED)
        if wrong or loose:
            return record.rejected("placeholder without a medium", loose or str(wrong))
        if len(set(numbers)) < least:
            return record.rejected("too few pictures", str(len(set(numbers))))
        if len(set(numbers)) < len(numbers):
            return record.rejected("a picture is shown twice", str(numbers))
        kept = sorted(set(numbers))
        turns = tuple(replace(turn, parts=_placed(turn, kept)) for turn in record.turns)
        return record.showing(kept).with_turns(turns)

    return each(replaced)


def _placed(turn: Turn, kept: list[int]) -> tuple[Part, ...]:
    place = MediaRef if turn.role == "user" else Produce
    return tuple(
        Text(piece) if isinstance(piece, str) else place(kept.index(int(piece[1]))) for piece in _pieces(turn.text, _NUMBERED)
    )


def _left_over(record: Record, pattern: re.Pattern[str]) -> str:
    """What still looks like a placeholder once those of the pattern are gone; a blank keeps their neighbours apart."""
    for turn in record.turns:
        text = pattern.sub(" ", turn.text)
        match = _LOOSE.search(text)
        if match:
            return text[match.start() :][:20]
    return ""


def _pieces(text: str, pattern: re.Pattern[str]) -> Iterable[str | re.Match[str]]:
    end = 0
    for match in pattern.finditer(text):
        if text[end : match.start()].strip():
            yield text[end : match.start()]
        yield match
        end = match.end()
    if text[end:].strip():
        yield text[end:]
