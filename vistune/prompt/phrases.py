"""Names and boxes out of Ferret's answers, by the two readings of its released evaluation code.

Both give names and pixel boxes of a picture of `size` (width, height): thousandths times the side, rounded down.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from vistune.errors import InputError
from vistune.prompt.codec import Size

PixelBox: TypeAlias = tuple[int, ...]

_ENDS = frozenset(".,;!?")
_FOUR = re.compile(r"\[(\d+), (\d+), (\d+), (\d+)\]")


def in_captions(text: str, size: Size) -> tuple[list[str], list[PixelBox]]:
    """Each bracket's box, named by the words before it; what follows a bracket is skipped up to the next punctuation mark.

    (Flickr30k Entities and RefExp.) Raises `InputError` for brackets that do not hold four whole numbers, which the released
    code stops at.
    """
    names: list[str] = []
    boxes: list[PixelBox] = []
    start, name = 0, ""
    for place, letter in enumerate(text):
        if letter == "[":
            name, start = text[start:place].strip(), place + 1
        elif letter == "]":
            names.append(name)
            boxes.append(_box(text[start:place], size))
            start = next((later for later in range(place + 1, len(text)) if text[later] in _ENDS), len(text)) + 1
    return names, boxes


def in_template(text: str, size: Size) -> tuple[list[str], list[PixelBox]]:
    """All brackets of four whole numbers, each once; the words without them, cut where a full stop stands between blanks."""
    found = list(dict.fromkeys(match.group() for match in _FOUR.finditer(text)))
    for bracket in found:
        text = text.replace(bracket, "")
    names = [name.strip(" .") for name in text.split(" . ")]
    return names, [_box(bracket.strip("[]"), size) for bracket in found]


def _box(inside: str, size: Size) -> PixelBox:
    numbers = inside.split(",")
    if len(numbers) < 4 or not all(re.fullmatch(r"\s*[+-]?\d+\s*", number) for number in numbers):
        raise InputError(f"[{inside}] is no box of four whole numbers")
    return tuple(int(int(number) * (side / 1000.0)) for number, side in zip(numbers, size * 2, strict=False))
