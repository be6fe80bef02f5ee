"""Regions with phrases, questions or answers in any layout: the declarative field map of `qa`, with boxes and points."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from vistune.data.fields.fieldmap import label_of, media_of, value_of
from vistune.data.fields.media_files import folder_of
from vistune.data.fields.regions.boxes import BoxFormat, unit_box, unit_point
from vistune.data.fields.regions.referring import Direction, referring_sample, wordings
from vistune.data.fields.typed import as_list, wrong
from vistune.data.media.image import image_size
from vistune.data.readers.base import Reader
from vistune.data.records.json_records import Records
from vistune.data.records.tables import arrange, open_table
from vistune.errors import InputError
from vistune.sample import Media, MediaRef, Part, Region, Sample, Text, Turn


class Regions(Reader):
    """One region (or several boxes of one) per record. Fields are expressions of `vistune.data.fields.fieldmap`.

    path, at, columns, delimiter, quoted, each, zipped, join, join_at, on:  the records, as in the `qa` reader
    among:      field -> a JSON file with a list of values: only records with one of them (the images of a split)
    images:     the folder of the images (default: the file's own)
    box:        the field of four numbers, of a list of boxes, of text that lists them, or four fields
    point:      instead: the field of two numbers, or two fields
    box_format: xyxy, xywh or cxcywh
    units:      "pixels" (with `width` and `height` fields, or the image's header) or "unit" (already in [0, 1])
    phrase:     what the region is: makes questions of `task` "locate" or "describe", worded by `wording`
    question, answer:  instead of a phrase: a question about the region, which stands before it
    place:      with a question: the region stands in the "question", is the "answer", or is only noted ("regions")
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        image: str = "image",
        box: str | list[str] | None = "bbox",
        point: str | list[str] | None = None,
        box_format: BoxFormat = "xyxy",
        units: Literal["pixels", "unit"] = "pixels",
        width: str | None = None,
        height: str | None = None,
        phrase: str | None = None,
        task: Direction = "locate",
        wording: str | list[str] | None = None,
        question: str | None = None,
        answer: str | None = None,
        place: Literal["question", "answer", "regions"] = "question",
        id: str | None = None,
        meta: Mapping[str, str] | None = None,
        clip: bool = False,
        at: str | None = None,
        columns: list[str] | None = None,
        delimiter: str | None = None,
        quoted: bool | None = None,
        each: str | None = None,
        zipped: list[str] | None = None,
        join: str | None = None,
        join_at: str | None = None,
        on: str | None = None,
        among: Mapping[str, str] | None = None,
        records: Records | None = None,
    ) -> None:
        if (phrase is None) == (question is None):
            raise InputError("regions: give either phrase (what the region is) or question (what is asked about it)")
        table = open_table(path, at, columns, delimiter, quoted, None, among) if records is None else records
        self._records = arrange(table, join=join, join_at=join_at, on=on, each=each, zipped=zipped)
        self._folder, self._stem, self._id = folder_of(path, images), Path(path).stem, id
        self._image, self._box, self._point = image, box if point is None else None, point
        self._form: BoxFormat = box_format
        self._units, self._size, self._clip = units, (width, height), clip
        self._phrase, self._question, self._answer, self._place = phrase, question, answer, place
        self._direction, self._meta = task, dict(meta or {})
        self._wordings = wordings(task, wording)

    def __len__(self) -> int:
        return len(self._records)

    def sample(self, index: int) -> Sample:
        """One region and what is said about it."""
        where, record = self._records.where(index), self._records[index]
        images = media_of(record, self._image, where, "image", self._folder)
        if len(images) != 1:
            raise InputError(f"{where}: a region is on one image, but there are {len(images)}")
        label = None if self._phrase is None else label_of(record, self._phrase, where)
        regions = tuple(self._regions(record, self._pixels(record, images[0], where), label, where))
        identity = label_of(record, self._id, where) if self._id is not None else f"{self._stem}:{index}"
        if self._phrase is not None:
            sample = referring_sample(identity, images[0], regions, self._direction, self._wordings, where)
        else:
            turns = self._asked(record, regions, where)
            answers = tuple(turn.text for turn in turns[1:] if turn.text)
            sample = Sample(identity, (images[0],), turns, regions, answers, origin=where)
        meta = {key: value_of(record, field, where) for key, field in self._meta.items()}
        meta = {key: value for key, value in meta.items() if value is not None}
        return Sample(sample.id, sample.media, sample.turns, sample.regions, sample.answers, (), meta, where)

    def _asked(self, record: Any, regions: tuple[Region, ...], where: str) -> tuple[Turn, ...]:
        question = Text(label_of(record, str(self._question), where))
        asked: tuple[Part, ...] = (MediaRef(0), question)
        if self._place == "question" and regions:
            asked = (*asked, Text(" "), *regions)
        if self._place == "answer":
            return Turn("user", asked), Turn("assistant", regions)
        if self._answer is None:
            return (Turn("user", asked),)
        return Turn("user", asked), Turn("assistant", (Text(label_of(record, self._answer, where)),))

    def _pixels(self, record: Any, image: Media, where: str) -> tuple[float, float]:
        if self._units == "unit":
            return (1, 1)
        width, height = self._size
        if width is None or height is None:
            return image_size(image, where)
        return _number(value_of(record, width, where), where, width), _number(value_of(record, height, where), where, height)

    def _regions(self, record: Any, size: tuple[float, float], label: str | None, where: str) -> list[Region]:
        if self._point is not None:
            numbers = _numbers(record, self._point, where)
            return [Region(point=unit_point(numbers, where, size), label=label)]
        assert self._box is not None
        found = _numbers(record, self._box, where)
        boxes = found if found and isinstance(found[0], list | tuple) else [found]
        return [Region(box=unit_box(box, where, size, self._form, clip=self._clip), label=label) for box in boxes]


def _numbers(record: Any, field: str | list[str], where: str) -> list[Any]:
    if not isinstance(field, str):
        return [_number(value_of(record, one, where), where, one) for one in field]
    value = value_of(record, field, where)
    if isinstance(value, str):  # "[[10, 5, 30, 15]]" and "10,5,30,15", as CSV files have them
        text = value.strip()
        try:
            value = json.loads(text if text.startswith("[") else f"[{text}]")
        except (ValueError, RecursionError) as error:
            raise wrong(where, f"{field!r}", text, "numbers separated by commas") from error
    return list(as_list(value, where, f"{field!r}"))


def _number(value: Any, where: str, field: str) -> float:
    """A number, or text that is one, as tables have it; `unit_box` refuses what is not finite."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wrong(where, f"{field!r}", value, "a number")
    try:
        return float(value)
    except (ValueError, OverflowError) as error:
        raise wrong(where, f"{field!r}", value, "a number") from error
