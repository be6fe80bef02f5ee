"""Which words of an answer name which found thing (BuboGPT, Zhao et al., arXiv 2307.08581, section 3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Matched:
    """pieces: the text in order, each piece with the number of its entity or None
    pairs:  phrases (lower case) and the tags they stand for
    tags:   the tag of each number that is shown
    """

    pieces: tuple[tuple[str, str | None], ...]
    pairs: Mapping[str, str]
    tags: Mapping[str, str]


def matched(text: str, tags: Sequence[str], reply: str, released: bool = True) -> Matched:
    """Read lines `phrase - tag` and mark each phrase's first occurrence in the text.

    A line whose right side is no tag is passed over; so is a phrase that overlaps one before it. Numbers are ranks in the text
    before that, so they may leave gaps. `released` keeps the official rule for the end of the text: one character that is left
    is lost, and nothing that is left is an empty piece. Tags are compared with the reply in lower case, as released.
    """
    pairs: dict[str, str] = {}
    spans: list[tuple[int, str, str]] = []
    for line in reply.split("\n"):
        phrase, dash, tag = line.partition(" - ")
        phrase, tag = phrase.lower(), tag.lower()
        if not dash or tag not in tags:
            continue
        pairs[phrase] = tag
        # The first occurrence only, as released: a phrase that is said again later is not marked a second time.
        start = text.lower().find(phrase)
        if start >= 0:
            spans.append((start, phrase, tag))
    pieces: list[tuple[str, str | None]] = []
    shown: dict[str, str] = {}
    end = 0
    # Numbered before overlaps are dropped, which is why numbers may leave gaps.
    for number, (start, phrase, tag) in enumerate(sorted(spans, key=lambda span: span[0]), 1):
        if start < end:
            continue
        if start > end:
            pieces.append((text[end:start], None))
        pieces.append((text[start : start + len(phrase)], str(number)))
        shown[str(number)] = tag
        end = start + len(phrase)
    if end != len(text) - 1 if released else end < len(text):
        pieces.append((text[end:], None))
    return Matched(tuple(pieces), pairs, shown)
