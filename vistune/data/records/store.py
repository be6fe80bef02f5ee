"""Images as base64 text under their ids in one JSON object; only offsets are kept."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

from vistune.data.records.json_records import JsonObject, open_records
from vistune.data.records.strict_json import parse_json
from vistune.errors import InputError
from vistune.sample import Media

_KEY = re.compile(rb'\s*("(?:[^"\\]|\\.)*")\s*:')


class ImageStore:
    """`{"LA_00_IMG_1": "base64...", ...}` of any size (MIMIC-IT's hold tens of gigabytes)."""

    def __init__(self, path: str | Path) -> None:
        records = open_records(path)
        if not isinstance(records, JsonObject):
            raise InputError(f"{path} is no JSON object of images by id")
        self._records = records
        self._numbers: dict[str, int] = {}
        for number in range(len(records)):
            head = _KEY.match(records.head(number))
            if head is None:
                raise InputError(f"{records.where(number)}: expected an id and an image")
            key = str(parse_json(head[1], records.where(number)))
            if self._numbers.setdefault(key, number) != number:
                raise InputError(f"{records.where(number)}: id {key!r} was given before")

    def image(self, identity: str, where: str) -> Media:
        """The image with this id. Raises `InputError` when it is not there or is not base64 text."""
        if identity not in self._numbers:
            raise InputError(f"{where}: image {identity!r} is not in the store")
        record = self._records[self._numbers[identity]]
        text = record.get("value")
        if not isinstance(text, str):
            raise InputError(f"{where}: image {identity!r} of the store is not base64 text")
        try:
            return Media("image", data=base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError) as error:
            raise InputError(f"{where}: image {identity!r} of the store is not base64: {error}") from error
