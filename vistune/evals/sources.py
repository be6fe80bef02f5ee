"""Reading what benchmarks and result files are made of: JSON, JSONL, delimited and plain text, gzipped or not.

The form is recognised from the content, never from the name. Everything is read whole, up to `MAX_BYTES`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vistune.errors import InputError
from vistune.files import too_long

MAX_BYTES = 4 << 30
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Content:
    """A file's content: `json` any value, `jsonl` a list of values, `text` a list of lines, `folder` names to contents."""

    path: Path
    form: Literal["json", "jsonl", "text", "folder"]
    value: Any
    lines: tuple[int, ...] = ()  # jsonl: the line of each value

    def record(self, index: int) -> str:
        """How an error message names the value at an index of the list; both lines and records count from 1."""
        return f"{self.path}: line {self.lines[index]}" if self.lines else f"{self.path}: record {index + 1}"


def load(path: str | Path) -> Content:
    """Read a file, or every file directly in a folder. Raises `InputError` naming the file and what is broken in it."""
    path = Path(path)
    if path.is_dir():
        return Content(path, "folder", {entry.name: load(entry) for entry in sorted(path.iterdir()) if entry.is_file()})
    text = read_text(path)
    start = text.lstrip()[:1]
    if start not in ("{", "["):
        return Content(path, "text", _lines(text))
    try:
        return Content(path, "json", json.loads(text))
    except RecursionError as error:
        raise InputError(f"{path}: JSON nested too deeply") from error
    except ValueError as error:
        if not isinstance(error, json.JSONDecodeError):
            raise InputError(f"{path}: {too_long(error)}") from error
        # More than one value, one a line: only then can the first line be a whole value.
        first_line = text.lstrip().partition("\n")[0]
        if not _is_json(first_line):
            raise InputError(f"{path}: line {error.lineno}, column {error.colno}: not JSON ({error.msg})") from error
    filled = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    values = [_line_value(path, number, line) for number, line in filled]
    return Content(path, "jsonl", values, tuple(number for number, _ in filled))


def load_json(path: str | Path) -> Any:
    """The value of a JSON file. Raises `InputError` when it holds anything else."""
    content = load(path)
    if content.form == "jsonl" or content.form == "json":
        return content.value
    raise InputError(f"{path}: expected JSON, found {'a folder' if content.form == 'folder' else 'plain text'}")


def load_table(path: str | Path) -> list[dict[str, str]]:
    """The rows of a comma- or tab-separated file with a header line (the header says which)."""
    text = read_text(Path(path))
    csv.field_size_limit(MAX_BYTES)
    header = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter="\t" if "\t" in header else ",", strict=True)
    try:
        return [{str(key): value or "" for key, value in row.items()} for row in rows]
    except csv.Error as error:
        raise InputError(f"{path}: line {rows.line_num}: {error}") from error


def read_text(path: Path) -> str:
    """A file's UTF-8 text, decompressed when it is gzip. Raises `InputError` for anything unreadable or over `MAX_BYTES`."""
    try:
        with open(path, "rb") as raw:
            zipped = raw.read(2) == _GZIP
            raw.seek(0)
            data = (gzip.GzipFile(fileobj=raw) if zipped else raw).read(MAX_BYTES + 1)
    except (OSError, EOFError) as error:
        raise InputError(f"cannot read {path}: {error.strerror if isinstance(error, OSError) else error}") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{path}: more than {MAX_BYTES >> 30} GiB; split it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8") from error


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except json.JSONDecodeError:
        return False
    except ValueError:  # a number too long to read: JSON, which its line will be named for
        return True
    return True


def _lines(text: str) -> list[str]:
    """Lines as files have them. `splitlines` would also end one at U+2028 and its like, and shift all that follow."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def _line_value(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path}: line {number}: not JSON ({error})") from error
    except ValueError as error:
        raise InputError(f"{path}: line {number}: {too_long(error)}") from error


def locate(source: str | Path, relative: str) -> Path:
    """The file a benchmark needs: `source` itself when it is a file, else `relative` inside that folder (or its `.gz`).

    Raises `InputError` that names the official layout when the file is absent.
    """
    source = Path(source)
    if source.is_file():
        return source
    if not source.is_dir():
        raise InputError(f"{source}: no such file or folder")
    for candidate in (source / relative, source / f"{relative}.gz"):
        if candidate.is_file():
            return candidate
    raise InputError(
        f"{source}: has no {relative}, where the official download keeps it; name that file itself, or the folder it is in"
    )


def companion(source: str | Path, relative: str) -> Path | None:
    """A file the benchmark can be scored without (its questions): in the folder, or beside the file named; else none."""
    source = Path(source)
    folder = source if source.is_dir() else source.parent
    for candidate in (folder / relative, folder / Path(relative).name):
        if candidate.is_file():
            return candidate
    return None


def beneath(root: Path, name: str) -> str:
    """`root/name` as text. Raises `InputError` when an annotation's file name would leave the folder the user named."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise InputError(f"file name {name!r} leads outside {root}")
    return str(root / name)
