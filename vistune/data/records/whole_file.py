"""A JSON file that is one record, as data sets with a file per scene or image have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vistune.data.records.strict_json import parse_json
from vistune.errors import InputError


class WholeFile:
    """The file's value as the only record; read when it is asked for."""

    def __init__(self, path: Path) -> None:
        try:
            known = path.is_file()
        except OSError as error:  # a name that a record made up can be longer than a file system takes
            raise InputError(f"cannot read {path}: {error.strerror or error}") from error
        if not known:
            raise InputError(f"cannot read {path}: no such file")
        self._path = path

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        try:
            return parse_json(self._path.read_bytes(), str(self._path))
        except OSError as error:
            raise InputError(f"cannot read {self._path}: {error.strerror or error}") from error

    def where(self, index: int) -> str:
        """The file."""
        return str(self._path)
