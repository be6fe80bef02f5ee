"""COCO's two lists, images and annotations, with the annotations of each image found without parsing them all."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from vistune.data.fields.typed import Record, as_label, as_number, as_object, need
from vistune.data.records.json_records import JsonArray, open_records
from vistune.errors import InputError

_CROWD = re.compile(rb'"iscrowd"\s*:\s*(?:1|true)\b')
_IMAGE_ID = re.compile(rb'"image_id"\s*:\s*(?:(-?\d+)|"([^"\\]*)")')


class ByImage:
    """`images` and `annotations` of a file. Opening parses the images and scans the annotations for their image."""

    def __init__(self, path: str) -> None:
        self.images, self._annotations = json_array(path, "images"), json_array(path, "annotations")
        self._order, self._starts = _by_image(self.images, self._annotations)

    def with_objects(self) -> list[int]:
        """The numbers of the images that have an annotation other than of a crowd."""
        crowds = np.fromiter((bool(_CROWD.search(raw)) for raw in self._annotations.raws()), bool, len(self._annotations))
        single = np.concatenate([[0], np.cumsum(~crowds[self._order])])
        return [int(number) for number in np.flatnonzero(single[self._starts[1:]] > single[self._starts[:-1]])]

    def __len__(self) -> int:
        return len(self.images)

    def image(self, index: int) -> tuple[Record, str, str]:
        """An image's record, its id, and where it stands."""
        where = self.images.where(index)
        record = as_object(self.images[index], where)
        return record, as_label(need(record, "id", where), where, "'id'"), where

    def annotations(self, index: int) -> list[tuple[Record, str]]:
        """The annotations of an image, each with where it stands. Raises `InputError` for one that contradicts itself."""
        _, key, _ = self.image(index)
        return [self._annotation(int(number), key) for number in self._order[self._starts[index] : self._starts[index + 1]]]

    def _annotation(self, number: int, key: str) -> tuple[Record, str]:
        where = self._annotations.where(number)
        record = as_object(self._annotations[number], where)
        if as_label(need(record, "image_id", where), where, "'image_id'") != key:
            raise InputError(f"{where}: 'image_id' is {record['image_id']!r} inside, but a nested key says {key}")
        return record, where


def image_size(image: Record, where: str) -> tuple[float, float]:
    """Width and height of an image's record, in pixels."""
    width, height = (as_number(need(image, key, where), where, f"{key!r}") for key in ("width", "height"))
    return width, height


def json_array(path: str, key: str) -> JsonArray:
    """The list under a key of a JSON object. Raises `InputError` for anything else there."""
    records = open_records(path, key)
    if not isinstance(records, JsonArray):
        raise InputError(f"{path}: {key!r} is not a list")
    return records


def _by_image(images: JsonArray, annotations: JsonArray) -> tuple[Any, Any]:
    """Annotation numbers sorted by image, and where each image's begin `[images + 1]`."""
    position: dict[str, int] = {}
    for number in range(len(images)):
        where = images.where(number)
        key = as_label(need(as_object(images[number], where), "id", where), where, "'id'")
        if position.setdefault(key, number) != number:
            raise InputError(f"{where}: image id {key} was given before")
    owner = np.zeros(len(annotations), np.int64)
    for number, raw in enumerate(annotations.raws()):
        match = _IMAGE_ID.search(raw)
        if match is None and b'"image_id"' in raw:  # an id with escapes: rare, and worth a whole parse
            record = as_object(annotations[number], annotations.where(number))
            key = as_label(record.get("image_id", ""), annotations.where(number), "'image_id'")
        else:
            key = "" if match is None else (match[1] or match[2]).decode("utf-8", "replace")
        if key not in position:
            raise InputError(
                f"{annotations.where(number)}: image_id {key or 'is missing, so it'} belongs to no image of the file"
            )
        owner[number] = position[key]
    order = np.argsort(owner, kind="stable")
    return order, np.searchsorted(owner[order], np.arange(len(images) + 1))
