"""Records of a pickled list of dictionaries, read by the restricted unpickler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vistune.data.fields.typed import as_list, dig
from vistune.data.records.safe_pickle import load_plain_pickle


class Pickled:
    """The elements of a pickle's list, or of the one under `at`. All are in memory: the format allows nothing else."""

    def __init__(self, path: Path, at: str | None) -> None:
        self._path = path
        value = load_plain_pickle(path)
        self._items = as_list(dig(value, at, str(path)) if at is not None else value, str(path), at or "the pickled value")

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Any:
        return self._items[index]

    def where(self, index: int) -> str:
        """`file: record 12`, counted from 1."""
        return f"{self._path}: record {index + 1}"
