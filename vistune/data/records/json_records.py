"""`Records`: the raw records of a JSON or JSON Lines file by index, each parsed when it is asked for.

[ {...}, {...} ]                      a JSON array
{"7": {...}, "8": {...}}              a JSON object by id: the key joins the record as "@key"
{"questions": [...], ...}             `at="questions"` (dots go deeper: "data.train")
{...}\\n{...}\\n                        JSON Lines, whatever the file is called
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vistune.data.records.index import Offsets, blank_lines, container_bounds, file_state, first_byte, line_bounds, read_range
from vistune.data.records.strict_json import parse_json
from vistune.errors import InputError, nearest

KEY = "@key"
_KEY = re.compile(rb'\s*("(?:[^"\\]|\\.)*")\s*:')


class Records(Protocol):
    """Raw records by index."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Any:
        """The parsed record. Raises `InputError` that begins with `where(index)`."""
        ...

    def where(self, index: int) -> str:
        """How error messages name the record."""
        ...


class Lines:
    """The lines of a file that are not blank, as bytes."""

    def __init__(self, path: Path, *, quoted: bool = False) -> None:
        state = file_state(path)
        bounds = line_bounds(path, quoted=quoted)
        kept = ~blank_lines(path, bounds)
        self.path, self._state = path, state
        self._begin, self._end = (bounds[:-1], bounds[1:]) if kept.all() else (bounds[:-1][kept], bounds[1:][kept])
        self._numbers = None if kept.all() else np.flatnonzero(kept) + 1

    def __len__(self) -> int:
        return len(self._begin)

    def __getitem__(self, index: int) -> bytes:
        return read_range(self.path, int(self._begin[index]), int(self._end[index]), self._state)

    def text(self, index: int) -> str:
        """The line as text, without the space around it. Raises `InputError` when it is not UTF-8."""
        try:
            return self[index].decode("utf-8-sig" if index == 0 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise InputError(f"{self.where(index)}: byte {error.start} of the line is not UTF-8") from error

    def number(self, index: int) -> int:
        """The line's number in the file, counted from 1, blank lines included."""
        return index + 1 if self._numbers is None else int(self._numbers[index])

    def where(self, index: int) -> str:
        """`file: line 12`."""
        return f"{self.path}: line {self.number(index)}"


class JsonLines:
    """One JSON value a line."""

    def __init__(self, path: Path) -> None:
        self._lines = Lines(path)

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: int) -> Any:
        raw = self._lines[index]
        return parse_json(raw.removeprefix(b"\xef\xbb\xbf") if index == 0 else raw, self.where(index))

    def where(self, index: int) -> str:
        """`file: line 12`."""
        return self._lines.where(index)


class JsonArray:
    """The elements of a JSON array whose bounds are known."""

    def __init__(self, path: Path, bounds: Offsets) -> None:
        self.path, self._state = path, file_state(path)
        self._bounds = bounds

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def raw(self, index: int) -> bytes:
        """The element's bytes."""
        return read_range(self.path, int(self._bounds[index]), int(self._bounds[index + 1]) - 1, self._state)

    def __getitem__(self, index: int) -> Any:
        return parse_json(self.raw(index), self.where(index))

    def head(self, index: int, size: int = 4096) -> bytes:
        """The element's first bytes."""
        begin, end = int(self._bounds[index]), int(self._bounds[index + 1]) - 1
        return read_range(self.path, begin, min(end, begin + size), self._state)

    def raws(self) -> Iterator[bytes]:
        """The bytes of all elements in order, read in one pass."""
        with open(self.path, "rb") as file:
            offsets: list[int] = self._bounds.tolist()
            file.seek(offsets[0])
            for begin, end in pairwise(offsets):
                yield file.read(end - begin)[:-1]

    def where(self, index: int) -> str:
        """`file: record 12 (byte 3456)`, counted from 1."""
        return f"{self.path}: record {index + 1} (byte {self._bounds[index]})"


class JsonObject(JsonArray):
    """The members of a JSON object: `"7": {...}` gives `{"@key": "7", ...}`, `"7": x` gives `{"@key": "7", "value": x}`."""

    def __getitem__(self, index: int) -> Any:
        # A member is `"key": value`; in braces it is an object of its own, and the key's escapes are read by the same parser.
        members = parse_json(b"{" + self.raw(index) + b"}", self.where(index))
        if len(members) != 1:
            raise InputError(f"{self.where(index)}: expected a key and a value")
        ((key, value),) = members.items()
        return {KEY: key, **value} if isinstance(value, dict) else {KEY: key, "value": value}


def open_records(path: str | Path, at: str | None = None) -> Records:
    """Find the records of a JSON or JSON Lines file. Raises `InputError` for a file or a key that is not there."""
    path = Path(path)
    byte, start = first_byte(path)
    if path.suffix in (".jsonl", ".ndjson") or byte not in (b"[", b"{"):
        if at is not None:
            raise InputError(f"{path} holds one record a line: there is no key {at!r} around them")
        if path.suffix not in (".jsonl", ".ndjson"):
            raise InputError(f"{path} is neither a JSON array, a JSON object nor JSON Lines (a .jsonl file)")
        return JsonLines(path)
    bracket, bounds, end = container_bounds(path, start)
    following, byte_after = first_byte(path, end)
    # An object behind an object is JSON Lines under another suffix, which several official files have.
    if following == byte and at is None and bracket == b"{":
        return JsonLines(path)
    if following:
        raise InputError(f"{path}: unexpected data after the JSON value, at byte {byte_after}")
    for key in at.split(".") if at is not None else ():
        if bracket != b"{":
            raise InputError(f"{path}: the key {key!r} was expected in an object, but here is an array")
        bracket, bounds, end = container_bounds(path, _member(path, bounds, key))
    return JsonArray(path, bounds) if bracket == b"[" else JsonObject(path, bounds)


def _member(path: Path, bounds: Offsets, wanted: str) -> int:
    """Where the value of an object's member begins."""
    keys = []
    offsets: list[int] = bounds.tolist()
    for begin, end in pairwise(offsets):
        # Only the beginning: the value may be the whole data set.
        head = _KEY.match(read_range(path, begin, min(end - 1, begin + 4096)))
        if head is None:
            raise InputError(f"{path}: expected a key at byte {begin}")
        name = str(parse_json(head[1], f"{path}: byte {begin}"))
        if name == wanted:
            return begin + head.end()
        keys.append(name)
    raise InputError(f"{path} has no key {wanted!r}{nearest(wanted, keys)}")
