"""Raw records of any common file format: CSV, TSV, pipe text, parquet, all that `records` opens; joined, unnested."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vistune.data.fields import as_list, as_object, dig
from vistune.data.records import Lines, Records, open_records
from vistune.errors import InputError, nearest

DELIMITERS = {".csv": ",", ".tsv": "\t"}


class Delimited:
    """Rows of delimited text as `{column: text}`; a row with another number of fields than there are columns is refused."""

    def __init__(self, path: Path, delimiter: str, columns: Sequence[str] | None, *, quoted: bool) -> None:
        if len(delimiter) != 1:
            raise InputError(f"{path}: a delimiter is one character, not {delimiter!r}")
        self._lines = Lines(path, quoted=quoted)
        self._delimiter, self._quoted = delimiter, quoted
        self._quoted_field = re.compile(rf'"((?:[^"]|"")*)"(?={re.escape(delimiter)}|\Z)')
        self._first = 0
        if columns is None:
            if not len(self._lines):
                raise InputError(f"{path} has no header line")
            columns, self._first = [name.strip() for name in self._fields(0)], 1
        self.columns = list(columns)
        if len(set(self.columns)) != len(self.columns):
            raise InputError(f"{path} has two columns of the same name: {', '.join(self.columns)}")

    def __len__(self) -> int:
        return len(self._lines) - self._first

    def __getitem__(self, index: int) -> dict[str, str]:
        fields = self._fields(index + self._first)
        if len(fields) != len(self.columns):
            raise InputError(f"{self.where(index)}: {len(fields)} fields for the {len(self.columns)} columns {self.columns}")
        return dict(zip(self.columns, fields, strict=True))

    def where(self, index: int) -> str:
        """`file: line 12`."""
        return self._lines.where(index + self._first)

    def _fields(self, line: int) -> list[str]:
        where = self._lines.where(line)
        try:
            text = self._lines[line].decode("utf-8-sig" if line == 0 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: byte {error.start} of the record is not UTF-8") from error
        text = text.removesuffix("\n").removesuffix("\r")
        if "\0" in text:
            raise InputError(f"{where}: the record holds a zero byte")
        return self._split_quoted(text, where) if self._quoted and '"' in text else text.split(self._delimiter)

    def _split_quoted(self, text: str, where: str) -> list[str]:
        fields: list[str] = []
        position = 0
        while True:
            if text.startswith('"', position):
                match = self._quoted_field.match(text, position)
                if match is None:
                    raise InputError(f"{where}: text follows the closing quote of field {len(fields) + 1}")
                fields.append(match[1].replace('""', '"'))
                position = match.end()
            else:
                end = text.find(self._delimiter, position)
                end = len(text) if end < 0 else end
                if '"' in text[position:end]:
                    raise InputError(f"{where}: field {len(fields) + 1} holds a quote but does not begin with one")
                fields.append(text[position:end])
                position = end
            if position == len(text):
                return fields
            position += 1
            if position == len(text):
                return [*fields, ""]


class Parquet:
    """Rows of a parquet file; one row group is held at a time."""

    def __init__(self, path: Path) -> None:
        try:
            from pyarrow import ArrowException, parquet
        except ImportError as error:
            from vistune.errors import MissingExtraError

            raise MissingExtraError("pyarrow", "datasets", f"reading {path}") from error
        self._path = path
        try:
            metadata = parquet.read_metadata(path)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}") from error
        except ArrowException as error:
            raise InputError(f"{path} is no whole parquet file: {error}") from error
        sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        self._ends = np.cumsum(sizes, dtype=np.int64)
        self._group: tuple[int, Any] = (-1, None)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> dict[str, Any]:
        from pyarrow import ArrowException, parquet

        group = int(np.searchsorted(self._ends, index, side="right"))
        if self._group[0] != group:
            try:
                with parquet.ParquetFile(self._path) as file:
                    self._group = (group, file.read_row_group(group))
            except (OSError, ArrowException) as error:
                raise InputError(f"{self.where(index)}: row group {group} cannot be read: {error}") from error
        first = int(self._ends[group - 1]) if group else 0
        row: dict[str, Any] = self._group[1].slice(index - first, 1).to_pylist()[0]
        return row

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_group": (-1, None)}  # a worker reads its own

    def where(self, index: int) -> str:
        """`file: row 12`, counted from 1."""
        return f"{self._path}: row {index + 1}"


def open_table(
    path: str | Path,
    at: str | None = None,
    columns: Sequence[str] | None = None,
    delimiter: str | None = None,
    quoted: bool | None = None,
) -> Records:
    """Open records by the file's ending.

    .json .jsonl    see `records`; `at` is the key of the list
    .csv .tsv       with a header line, or `columns`; `quoted` (CSV: true, TSV: false) says whether quotes enclose fields
    .parquet        needs pyarrow
    any other       delimited text: `delimiter` is needed

    Raises `InputError` for a file that cannot be read or arguments that do not fit it.
    """
    path = Path(path)
    delimiter = delimiter or DELIMITERS.get(path.suffix.lower())
    if delimiter is None and (columns is not None or quoted is not None):
        raise InputError(f"{path}: columns and quoted are for delimited text: name its delimiter")
    if delimiter is not None:
        if at is not None:
            raise InputError(f"{path} is delimited text and has no key {at!r}")
        return Delimited(path, delimiter, columns, quoted=delimiter == "," if quoted is None else quoted)
    if path.suffix.lower() == ".parquet":
        return Parquet(path)
    if path.suffix.lower() == ".txt":
        raise InputError(f"{path}: text of what form? Name its delimiter, for example delimiter='|'")
    return open_records(path, at)


class Unnested:
    """Records that each hold a list under `each`, as one record an element; the outer keys join each, the element's own win.

    Opening parses every record once to count.
    """

    def __init__(self, outer: Records, each: str) -> None:
        self._outer, self._each = outer, each
        counts = np.zeros(len(outer) + 1, np.int64)
        for index in range(len(outer)):
            try:
                counts[index + 1] = len(self._items(index))
            except InputError:
                counts[index + 1] = 1  # raised again, and so reported, when that record is read
        self._starts = np.cumsum(counts)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def _items(self, index: int) -> Sequence[Any]:
        where = self._outer.where(index)
        return as_list(dig(self._outer[index], self._each, where), where, f"{self._each!r}")

    def _place(self, index: int) -> tuple[int, int]:
        outer = int(np.searchsorted(self._starts, index, side="right")) - 1
        return outer, index - int(self._starts[outer])

    def __getitem__(self, index: int) -> Any:
        outer, inner = self._place(index)
        where = self._outer.where(outer)
        record = as_object(self._outer[outer], where)
        item = as_list(dig(record, self._each, where), where, f"{self._each!r}")[inner]
        around = {key: value for key, value in record.items() if key != self._each}
        return {**around, **item} if isinstance(item, Mapping) else {**around, "value": item}

    def where(self, index: int) -> str:
        """The outer record's place, and which element of it."""
        outer, inner = self._place(index)
        return f"{self._outer.where(outer)}: {self._each} {inner + 1}"


class Joined:
    """Each record of `left` with that of `right` which agrees on a key (`"question_id"`, `"image_id=id"`); left's keys win.

    Opening parses `right` once for its keys. A record without a partner is refused when it is read, unless `optional`.
    """

    def __init__(self, left: Records, right: Records, on: str, *, optional: bool = False) -> None:
        self._left, self._right, self._optional = left, right, optional
        self._mine, _, theirs = on.partition("=")
        self._theirs = theirs or self._mine
        self._partner: dict[Any, int] = {}
        for index in range(len(right)):
            key = self._key(right[index], self._theirs, right.where(index))
            if key in self._partner:
                first = right.where(self._partner[key])
                raise InputError(f"{right.where(index)}: {self._theirs} {key!r} was given before ({first})")
            self._partner[key] = index

    def __len__(self) -> int:
        return len(self._left)

    def __getitem__(self, index: int) -> Any:
        where = self.where(index)
        record = as_object(self._left[index], where)
        key = self._key(record, self._mine, where)
        if key not in self._partner:
            if self._optional:
                return record
            known = list(map(str, self._partner)) if len(self._partner) < 1000 else []
            raise InputError(f"{where}: {self._mine} {key!r} has no partner in the joined file{nearest(str(key), known)}")
        return {**self._right[self._partner[key]], **record}

    def _key(self, record: Any, path: str, where: str) -> Any:
        key = dig(as_object(record, where), path, where)
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise InputError(f"{where}: {path} is {key!r}, which cannot be a key")
        return key

    def where(self, index: int) -> str:
        """The left record's place."""
        return self._left.where(index)
