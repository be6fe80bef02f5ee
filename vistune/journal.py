"""An append-only JSONL file that survives being killed: a line is on disk before `append` returns.

A last line that was cut in the middle was never acknowledged to anyone, so it does not count and opening the journal for
writing removes it; every other broken line is an `InputError` naming it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from vistune.errors import InputError
from vistune.files import lock


class Journal:
    """One writer's file of JSON objects; a second writer is refused. Use as a context manager, or `close` it."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = open(self.path, "ab")  # noqa: SIM115 - held for the journal's life, closed by `close`
        try:
            lock(self._file.fileno(), self.path)
        except InputError:
            self._file.close()
            raise
        # A kill in the middle of a write leaves half a line; appending behind it would join two records into one that is no
        # JSON.
        whole = _without_torn_line(self.path.read_bytes())  # once nobody else writes to it
        self._file.truncate(len(whole))
        if whole and not whole.endswith(b"\n"):
            self._file.write(b"\n")

    def append(self, *records: Mapping[str, Any]) -> None:
        """Write a line a record and wait until the disk has them all."""
        lines = [json.dumps(record, ensure_ascii=False, allow_nan=False).encode() + b"\n" for record in records]
        # One write for all records, so that a kill tears at most the last of them.
        self._file.write(b"".join(lines))
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def read_journal(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield `(line number from 1, object)`; an absent file holds none. Raises `InputError` for a line that is no object."""
    path = Path(path)
    if not path.exists():
        return
    for number, line in enumerate(_without_torn_line(path.read_bytes()).split(b"\n"), 1):
        if not line.strip():
            continue
        value = _parse(line)
        if not isinstance(value, dict):
            raise InputError(f"{path}: line {number}: expected a JSON object, found {line[:40]!r}")
        yield number, value


def count_records(path: str | Path) -> int:
    """How many whole records there are."""
    return sum(1 for _ in read_journal(path))


def _without_torn_line(content: bytes) -> bytes:
    """The content up to the last whole line; a last line without newline is whole when it is JSON."""
    end = content.rfind(b"\n") + 1
    return content if _parse(content[end:]) is not None else content[:end]


def _parse(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:  # not JSON, or not UTF-8
        return None
