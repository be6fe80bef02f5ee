"""Conversations whose texts hold boxes as numbers (Shikra, GRIT, PVIT): the numbers become regions."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Literal

from vistune.data.fields.regions.boxes import BoxFormat, unit_box
from vistune.data.fields.typed import as_number, need
from vistune.data.readers.base import Reader
from vistune.data.readers.conversations import Conversations
from vistune.errors import InputError
from vistune.sample import Part, Region, Sample, Text, Turn

_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"


class BoxesInText(Reader):
    """The conversations reader, then every `opening` four numbers `closing` is a `Region`.

    path, images, at, turns, speaker, said:  as in the conversations reader
    opening, closing:  what encloses the numbers, e.g. "<Region>[" and "]</Region>"; default "[" and "]"
    units:             "pixels" (the record's `width` and `height`), "unit" (0 to 1) or "thousandths" (0 to 1000)
    width, height:     the record's keys of the image's size
    placeholders:      as in the conversations reader
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        opening: str = "[",
        closing: str = "]",
        units: Literal["pixels", "unit", "thousandths"] = "unit",
        box_format: BoxFormat = "xyxy",
        width: str = "width",
        height: str = "height",
        placeholders: Literal["required", "prepend"] = "required",
        at: str | None = None,
        turns: str = "conversations",
        speaker: str = "from",
        said: str = "value",
        clip: bool = False,
    ) -> None:
        if not opening or not closing:
            raise InputError("boxes_in_text: opening and closing are needed to find the numbers")
        self._samples = Conversations(path, images, at, turns, speaker, said, placeholders=placeholders)
        self._pattern = re.compile(re.escape(opening) + ",".join([_NUMBER] * 4) + re.escape(closing))
        self._units, self._size_keys, self._clip = units, (width, height), clip
        self._form: BoxFormat = box_format

    def __len__(self) -> int:
        return len(self._samples)

    def sample(self, index: int) -> Sample:
        """One conversation with its boxes as regions."""
        return self.told(index)[0]

    def told(self, index: int) -> tuple[Sample, tuple[str, ...]]:
        """As the conversations reader tells it, but for the keys of the image's size, which are used here."""
        sample, unused = self._samples.told(index)
        where = sample.origin
        size = self._size(sample.meta, where)
        turns = [self._turn(turn, size, where) for turn in sample.turns]
        found = tuple(part for turn in turns for part in turn.parts if isinstance(part, Region))
        if found and not sample.media:
            raise InputError(f"{where}: the text holds boxes, but there is no image")
        used = self._size_keys if self._units == "pixels" else ()
        meta = {key: value for key, value in sample.meta.items() if key not in used}
        return replace(sample, turns=tuple(turns), regions=found, meta=meta), tuple(key for key in unused if key not in used)

    def declared(self, index: int) -> tuple[float, float] | None:
        """The record's size, where boxes are pixels of it."""
        sample = self._samples.sample(index)
        return self._size(sample.meta, sample.origin) if self._units == "pixels" else None

    def _size(self, meta: Any, where: str) -> tuple[float, float]:
        if self._units != "pixels":
            return (1, 1) if self._units == "unit" else (1000, 1000)
        width, height = (as_number(need(meta, key, where), where, f"{key!r}") for key in self._size_keys)
        return width, height

    def _turn(self, turn: Turn, size: tuple[float, float], where: str) -> Turn:
        parts: list[Part] = []
        for part in turn.parts:
            parts += self._split(part.text, size, where) if isinstance(part, Text) else [part]
        return replace(turn, parts=tuple(parts))

    def _split(self, text: str, size: tuple[float, float], where: str) -> list[Part]:
        parts: list[Part] = []
        position = 0
        for match in self._pattern.finditer(text):
            if before := text[position : match.start()]:
                parts.append(Text(before))
            box = unit_box([float(number) for number in match.groups()], where, size, self._form, clip=self._clip)
            parts.append(Region(box=box))
            position = match.end()
        rest = text[position:]
        return [*parts, Text(rest)] if rest else parts
