"""Where each record of a text file lies: byte offsets only, found in one streaming pass with bounded memory.

A file of any size costs 8 bytes a record (80 MB for ten million) and one sequential read at close to disk speed; records are
then read by index, in any order. Two layouts are found here:

    lines       JSON Lines, TSV, pipe text; with `quoted`, CSV whose quoted fields may hold line breaks
    containers  the elements of a JSON array or the members of a JSON object, however deep the file is nested around them
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.files import regular

Offsets: TypeAlias = NDArray[np.uint64]
Bytes: TypeAlias = NDArray[np.uint8]
FileState: TypeAlias = tuple[int, int]

CHUNK = 4 << 20
_NEWLINE, _QUOTE, _BACKSLASH, _COMMA = b'\n"\\,'
_OPEN, _CLOSE = b"[{", b"]}"
_BLANK = b" \t\r\n"


def _table(characters: bytes) -> NDArray[np.bool_]:
    table = np.zeros(256, bool)
    table[list(characters)] = True
    return table


# A table over all 256 bytes turns the search for structure into one numpy lookup.
_STRUCTURE = _table(b'"[]{},')
_DEPTH = np.zeros(256, np.int64)
_DEPTH[list(_OPEN)] = 1
_DEPTH[list(_CLOSE)] = -1


def file_state(path: Path) -> FileState:
    """A file's size and time of change: offsets found in it hold as long as both stay. Raises `InputError` without the file."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    return found.st_size, found.st_mtime_ns


def read_range(path: Path, begin: int, end: int, state: FileState | None = None) -> bytes:
    """The bytes `[begin, end)` of a file.

    Raises `InputError` when it cannot be read, has become shorter, or is no longer in `state`: offsets then point into the
    middle of other records, and half a line of text is text as well.
    """
    try:
        # Unbuffered: a record is read whole, and a buffer would read eight kilobytes more each time.
        with open(regular(path), "rb", buffering=0) as file:
            if state is not None:
                found = os.fstat(file.fileno())
                if (found.st_size, found.st_mtime_ns) != state:
                    raise InputError(f"{path} has changed since it was opened: open the data again")
            file.seek(begin)
            data = file.read(end - begin)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if len(data) != end - begin:
        raise InputError(f"{path} has changed since it was opened: it ends before byte {end}")
    return data


def _chunks(path: Path, begin: int = 0) -> Iterator[tuple[int, bytes]]:
    """`(offset, bytes)` from `begin` to the end of the file; no chunk ends within a JSON escape."""
    try:
        with open(regular(path), "rb") as file:
            file.seek(begin)
            while chunk := file.read(CHUNK):
                if chunk.endswith(b"\\"):
                    chunk += _rest_of_run(file)
                yield begin, chunk
                begin += len(chunk)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _rest_of_run(file: IO[bytes]) -> bytes:
    """The backslashes that follow, and the byte behind them: where a run of them begins decides what that byte means."""
    pieces = []
    while more := file.read(CHUNK):
        rest = more.lstrip(b"\\")
        pieces.append(more[: len(more) - len(rest) + bool(rest)])
        if rest:
            file.seek(1 - len(rest), os.SEEK_CUR)
            break
    return b"".join(pieces)


def line_bounds(path: Path, *, quoted: bool = False) -> Offsets:
    """Offsets `[n + 1]` at which lines begin, the file's end last. With `quoted`, a line break between quotes is text.

    Raises `InputError` naming the line whose quote never closes.
    """
    found = [np.zeros(1, np.uint64)]
    inside, opened, end = 0, 0, 0
    for begin, chunk in _chunks(path):
        data = np.frombuffer(chunk, np.uint8)
        end = begin + len(data)
        if not quoted:
            found.append(_absolute(np.flatnonzero(data == _NEWLINE), begin))
            continue
        marks = np.flatnonzero((data == _NEWLINE) | (data == _QUOTE))
        is_quote = data[marks] == _QUOTE
        parity = (np.cumsum(is_quote) + inside) % 2
        # Odd behind an opening quote, even behind a closing one; a doubled quote opens and closes and changes nothing.
        if is_quote.any():
            opened = begin + int(marks[is_quote][-1])
            inside = int(parity[-1])
        found.append(_absolute(marks[~is_quote & (parity == 0)], begin))
    if inside:
        raise InputError(f"{path}: the quote at byte {opened} never closes")
    bounds = np.concatenate(found)
    return bounds if bounds[-1] == end else np.append(bounds, np.uint64(end))


def container_bounds(path: Path, begin: int = 0) -> tuple[bytes, Offsets, int]:
    """The JSON container that begins at or after `begin`: its bracket, its elements' bounds `[n + 1]`, and where it ends.

    Element `i` lies in `[bounds[i], bounds[i + 1] - 1)`. Raises `InputError` when there is no container or it never closes.
    """
    opening, start = first_byte(path, begin)
    if opening not in (b"[", b"{"):
        raise InputError(f"{path}: byte {start} begins no JSON array or object")
    found = [np.array([start + 1], np.uint64)]
    depth, inside = 0, 0
    for offset, chunk in _chunks(path, start):
        data = np.frombuffer(chunk, np.uint8)
        marks = np.flatnonzero(_STRUCTURE[data])
        # Escaped quotes first: they open and close no text, and everything below counts quotes.
        marks = marks[~_escaped(data, marks)]
        is_quote = data[marks] == _QUOTE
        parity = (np.cumsum(is_quote) + inside) % 2
        inside = int(parity[-1]) if len(parity) else inside
        marks = marks[~is_quote & (parity == 0)]
        # Commas at depth 1 part the container's own elements; deeper ones belong to elements.
        depths = np.cumsum(_DEPTH[data[marks]]) + depth
        depth = int(depths[-1]) if len(depths) else depth
        closed = np.flatnonzero(depths == 0)
        last = int(closed[0]) if len(closed) else len(marks)
        found.append(_absolute(marks[:last][(depths[:last] == 1) & (data[marks[:last]] == _COMMA)], offset))
        if len(closed):
            end = offset + int(marks[last]) + 1
            if chunk[marks[last]] != _CLOSE[_OPEN.index(opening)]:
                raise InputError(f"{path}: the {opening.decode()!r} at byte {start} is closed by {chr(chunk[marks[last]])!r}")
            found.append(np.array([end], np.uint64))
            return opening, _without_empty(path, np.concatenate(found)), end
    cut = sum(map(len, found))
    raise InputError(f"{path}: the JSON value that begins at byte {start} never closes: its element {cut} is incomplete")


def _absolute(marks: NDArray[np.int64], begin: int) -> Offsets:
    """Where the byte after each mark lies in the file."""
    return marks.astype(np.uint64) + np.uint64(begin + 1)


def _escaped(data: Bytes, marks: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the marked bytes are quotes behind an odd run of backslashes."""
    before = np.maximum(marks - 1, 0)
    escaped: NDArray[np.bool_] = (data[marks] == _QUOTE) & (marks > 0) & (data[before] == _BACKSLASH)
    # Two backslashes are a single character, so only an odd run of them escapes. Longer runs are rare and looked at
    # apart.
    longer = np.flatnonzero(escaped & (data[np.maximum(marks - 2, 0)] == _BACKSLASH) & (marks > 1))
    if len(longer):
        others = np.flatnonzero(data != _BACKSLASH)
        behind = np.searchsorted(others, marks[longer]) - 1  # the last byte before each quote that is no backslash
        before = np.where(behind >= 0, others[np.maximum(behind, 0)], -1)
        escaped[longer] = (marks[longer] - 1 - before) % 2 == 1
    return escaped


def _without_empty(path: Path, bounds: Offsets) -> Offsets:
    """`[]` has no element, although something (nothing) lies between its brackets."""
    if len(bounds) == 2 and not read_range(path, int(bounds[0]), int(bounds[1]) - 1).strip(_BLANK):
        return bounds[:1]
    return bounds


def first_byte(path: Path, begin: int = 0) -> tuple[bytes, int]:
    """The first byte that is not blank at or after `begin` (empty at the end of the file), and where it is."""
    for offset, chunk in _chunks(path, begin):
        rest = chunk.lstrip(_BLANK)
        if offset == 0 and rest.startswith(b"\xef\xbb\xbf"):
            rest = rest[3:].lstrip(_BLANK)
        if rest:
            return rest[:1], offset + len(chunk) - len(rest)
    return b"", begin


def blank_lines(path: Path, bounds: Offsets) -> NDArray[np.bool_]:
    """Which lines hold nothing but spaces. Lines of eight bytes and more count as records without a look."""
    lengths = np.diff(bounds)
    blank: NDArray[np.bool_] = np.zeros(len(lengths), bool)
    # Looking into every line would read the file twice; a longer blank line is refused when it is parsed.
    for which in np.flatnonzero(lengths < 8):
        blank[which] = not read_range(path, int(bounds[which]), int(bounds[which + 1])).strip(_BLANK)
    return blank
