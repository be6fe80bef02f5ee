"""Placeholders such as `<image>` in a text, and the media they stand for."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence

from vistune.errors import InputError
from vistune.sample import Media, MediaKind, MediaRef, Part, Produce, Role, Text, Turn

TAGS: dict[str, MediaKind] = {"<image>": "image", "<video>": "video", "<audio>": "audio", "<point>": "points"}
"""The usual placeholders."""


def place_media(
    turns: Sequence[tuple[Role, str]],
    media: Sequence[Media],
    where: str,
    tags: Mapping[str, MediaKind] = TAGS,
    *,
    prepend: bool = False,
) -> tuple[Turn, ...]:
    """Split texts at their placeholders: the n-th `<image>` is the n-th image, likewise for each kind.

    A placeholder in an assistant's turn stands for a medium to produce. With `prepend`, media that no placeholder mentions
    stand before the text of the first user turn. Raises `InputError`, beginning with `where`, when the numbers differ.
    """
    kinds = dict.fromkeys(tags.values())
    waiting = {kind: deque(index for index, medium in enumerate(media) if medium.kind == kind) for kind in kinds}
    split = re.compile("(" + "|".join(map(re.escape, tags)) + ")").split if tags else lambda text: [text]
    placed: set[int] = set()
    result = []
    for role, text in turns:
        parts: list[Part] = []
        for piece in filter(None, split(text)):
            if piece not in tags:
                parts.append(Text(piece))
                continue
            if not waiting[tags[piece]]:
                raise InputError(f"{where}: {_count(turns, piece)} for {sum(m.kind == tags[piece] for m in media)} files")
            index = waiting[tags[piece]].popleft()
            placed.add(index)
            parts.append(Produce(index) if role == "assistant" else MediaRef(index))
        result.append(Turn(role, tuple(parts)))
    left = [index for index in range(len(media)) if index not in placed]
    if left and not prepend:
        raise InputError(
            f"{where}: {media[left[0]].kind} {media[left[0]].name} has no placeholder in the text "
            "(if this data has none by design, use placeholders=prepend)"
        )
    return show_first(tuple(result), left, media, where) if left else tuple(result)


def _count(turns: Sequence[tuple[Role, str]], tag: str) -> str:
    number = sum(text.count(tag) for _, text in turns)
    return f"{number} {tag} placeholder{'s' if number > 1 else ''}"


def show_first(turns: tuple[Turn, ...], left: Sequence[int], media: Sequence[Media], where: str) -> tuple[Turn, ...]:
    """Show the media `left` before the text of the first user turn. Raises `InputError` when there is no such turn."""
    for number, turn in enumerate(turns):
        if turn.role == "user":
            shown = (*(MediaRef(index) for index in left), *turn.parts)
            return (*turns[:number], Turn(turn.role, shown, turn.train), *turns[number + 1 :])
    raise InputError(f"{where}: there is no user turn to show {media[left[0]].kind} {media[left[0]].name} in")


def holds_tag(text: str, tags: Mapping[str, MediaKind] = TAGS) -> str | None:
    """A placeholder that the text holds literally, if any: such text cannot be written with placeholders."""
    return next((tag for tag in tags if tag in text), None)
