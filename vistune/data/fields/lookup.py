"""Finding a record by its id."""

from __future__ import annotations

from typing import Any

from vistune.data.fields.typed import Record, as_label, as_object, need
from vistune.data.records.json_records import open_records
from vistune.errors import InputError


class Lookup:
    """Records of a JSON file by an id they hold; only offsets are kept. Opening parses the file once."""

    def __init__(self, path: str, at: str | None = None, key: str = "id") -> None:
        records = open_records(path, at)
        self._records, self._path, self._key = records, path, key
        self._numbers: dict[str, int] = {}
        for number in range(len(records)):
            where = records.where(number)
            identity = as_label(need(as_object(records[number], where), key, where), where, f"{key!r}")
            if self._numbers.setdefault(identity, number) != number:
                raise InputError(f"{where}: {key} {identity} was given before")

    def of(self, identity: Any, where: str) -> Record:
        """The record with this id. Raises `InputError`, beginning with `where`, when there is none."""
        number = self._numbers.get(as_label(identity, where, "an id"))
        if number is None:
            raise InputError(f"{where}: {self._key} {identity} is not in {self._path}")
        return as_object(self._records[number], self._records.where(number))
