"""Records that could not be used: every one written down with its reason, and an end when there are too many."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import IO

from vistune.errors import InputError

TOLERATED = 0.01
"""The share of records that may be rejected."""


class Rejects:
    """A JSON Lines file of `{"index": 12, "reason": "..."}`, complete up to the last reject even when the program is killed.

    Used as a context; on leaving, `InputError` is raised when more than `tolerated` of `total` records were rejected.
    """

    def __init__(self, path: str | Path, total: int, tolerated: float = TOLERATED) -> None:
        self.path, self.total, self.tolerated, self.count = Path(path), total, tolerated, 0
        self._file: IO[str] | None = None

    def __enter__(self) -> Rejects:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self.path, "w", encoding="utf-8")
        return self

    def add(self, index: int, reason: str) -> None:
        """Write one reject down. Raises `InputError` as soon as there are too many for the whole data."""
        assert self._file is not None
        self.count += 1
        self._file.write(json.dumps({"index": index, "reason": reason}, ensure_ascii=False) + "\n")
        self._file.flush()
        self._check()

    def _check(self) -> None:
        if self.count > self.tolerated * self.total:
            raise InputError(
                f"{self.count} of {self.total} records cannot be used, more than {self.tolerated:.0%}: see {self.path}"
            )

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
