"""Reading what benchmarks and result files are made of: JSON, JSONL, delimited and plain text, gzipped or not.

The form is recognised from the content, never from the name. Everything is read whole, up to `MAX_BYTES`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vistune.data.records.strict_json import parse_json
from vistune.errors import InputError
from vistune.files import kept, regular

MAX_BYTES = 4 << 30
_GZIP = b"\x1f\x8b"
_PNG = b"\x89PNG"


@dataclass(frozen=True, slots=True)
class Content:
    """A file's content: `json` any value, `jsonl` a list of values, `text` a list of lines, `folder` names to contents.

    A PNG file in a folder (a label map) is an `image`, which is not opened here and has no value.
    """

    path: Path
    form: Literal["json", "jsonl", "text", "folder", "image"]
    value: Any
    lines: tuple[int, ...] = ()  # jsonl: the line of each value

    def record(self, index: int) -> str:
        """How an error message names the value at an index of the list; both lines and records count from 1."""
        return f"{self.path}: line {self.lines[index]}" if self.lines else f"{self.path}: record {index + 1}"


def load(path: str | Path) -> Content:
    """Read a file, or every file directly in a folder. Raises `InputError` naming the file and what is broken in it."""
    path = Path(path)
    if os.path.isdir(path):  # of a name that is too long for any file, `Path.is_dir` raises
        files = [kept(path, entry) for entry in sorted(path.iterdir()) if entry.is_file()]
        return Content(
            path, "folder", {file.name: Content(file, "image", None) if _is_png(file) else load(file) for file in files}
        )
    text = read_text(path)
    # Every JSON that a benchmark publishes is an object or a list; whatever begins otherwise is lines of text.
    if text.lstrip()[:1] not in ("{", "["):
        return Content(path, "text", _lines(text))
    try:
        return Content(path, "json", _parsed(text, str(path)))
    except InputError as error:
        # More than one value, one a line: only then can the first line be a whole value.
        first_line = text.lstrip().partition("\n")[0]
        if not isinstance(error.__cause__, json.JSONDecodeError) or not _is_json(first_line):
            raise
    filled = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    values = [_parsed(_without_comma(line), f"{path}: line {number}") for number, line in filled]
    return Content(path, "jsonl", values, tuple(number for number, _ in filled))


def _is_png(path: Path) -> bool:
    if path.suffix.lower() != ".png":
        return False
    with open(regular(path), "rb") as file:
        return file.read(len(_PNG)) == _PNG


def load_json(path: str | Path) -> Any:
    """The value of a JSON file. Raises `InputError` when it holds anything else."""
    content = load(path)
    if content.form == "jsonl" or content.form == "json":
        return content.value
    raise InputError(f"{path}: expected JSON, found {'a folder' if content.form == 'folder' else 'plain text'}")


def load_table(path: str | Path) -> list[dict[str, str]]:
    """The rows of a comma- or tab-separated file with a header line (the header says which)."""
    return _table(read_text(Path(path)), path)


def table_rows(content: Content) -> list[dict[str, str]]:
    """The rows of a text that is a table. Raises `InputError` for a row of another length than the header."""
    return _table("\n".join(content.value), content.path)


def header_of(line: str) -> list[str]:
    """The columns that a first line names, were it a header."""
    return [name.strip().strip('"') for name in line.split("\t" if "\t" in line else ",")]


def _table(text: str, path: str | Path) -> list[dict[str, str]]:
    csv.field_size_limit(MAX_BYTES)
    header = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in header else ",", strict=True)
    try:
        columns = next(rows, [])
        if len(set(columns)) < len(columns):
            raise InputError(f"{path} has two columns of the same name: {', '.join(columns)}")
        return [_row(columns, row, f"{path}: row {number}") for number, row in enumerate(filter(None, rows), 1)]
    except csv.Error as error:
        raise InputError(f"{path}: line {rows.line_num}: {error}") from error


def _row(columns: list[str], fields: list[str], where: str) -> dict[str, str]:
    if len(fields) != len(columns):
        raise InputError(f"{where} has {len(fields)} fields, the header {len(columns)}")
    return dict(zip(columns, fields, strict=True))


def read_text(path: Path) -> str:
    """A file's UTF-8 text, decompressed when it is gzip. Raises `InputError` for anything unreadable or over `MAX_BYTES`."""
    try:
        with open(regular(path), "rb") as raw:
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


def _parsed(text: str, where: str) -> Any:
    return parse_json(text.encode("utf-8", "surrogatepass"), where, finite=False)


def _is_json(line: str) -> bool:
    try:
        _parsed(_without_comma(line), "")
    except InputError as error:  # what is JSON but has another fault is a line to be named for it
        return not isinstance(error.__cause__, json.JSONDecodeError)
    return True


def _without_comma(line: str) -> str:
    """A line as leaderboards have it, the comma of a list behind each value."""
    return line.rstrip().removesuffix(",")


def _lines(text: str) -> list[str]:
    """Lines as files have them. `splitlines` would also end one at U+2028 and its like, and shift all that follow."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


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
            return kept(source, candidate)
    raise InputError(
        f"{source}: has no {relative}, where the official download keeps it; name that file itself, or the folder it is in"
    )


def companion(source: str | Path, relative: str) -> Path | None:
    """A file the benchmark can be scored without (its questions): in the folder, or beside the file named; else none."""
    source = Path(source)
    folder = source if source.is_dir() else source.parent
    for candidate in (folder / relative, folder / Path(relative).name):
        if candidate.is_file():
            return kept(folder, candidate)
    return None


def beneath(root: Path, name: str) -> str:
    """`root/name` as text. Raises `InputError` when an annotation's file name would leave the folder the user named."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise InputError(f"file name {name!r} leads outside {root}")
    return str(kept(root, root / name))
