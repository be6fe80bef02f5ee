"""Delimited text (CSV, TSV, pipe text) by index."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vistune.data.records.json_records import Lines
from vistune.errors import InputError


class Delimited:
    """Rows of delimited text as `{column: text}`; a row with another number of fields than there are columns is refused."""

    def __init__(self, path: Path, delimiter: str, columns: Sequence[str] | None, *, quoted: bool) -> None:
        if len(delimiter) != 1:
            raise InputError(f"{path}: a delimiter is one character, not {delimiter!r}")
        self._lines = Lines(path, quoted=quoted)
        self._delimiter, self._quoted = delimiter, quoted
        # A doubled quote inside a quoted field stands for one (RFC 4180); the field ends before a delimiter or the line's
        # end.
        self._quoted_field = re.compile(rf'"((?:[^"]|"")*)"(?={re.escape(delimiter)}|\Z)')
        self._first = 0
        if columns is None:
            if not len(self._lines):
                raise InputError(f"{path} has no header line")
            head = self._lines[0]
            if b"\r" in head.rstrip(b"\r\n") and b'"' not in head:  # between quotes it may be part of a name
                raise InputError(f"{path}: its lines end in carriage returns alone, as old Macs wrote them: write line feeds")
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
        # Nearly all rows hold no quote, and `split` is many times as fast.
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


class Beside:
    """Two files of lines that belong together: line n as `{"line": text, "beside": text of the other's, "@number": n}`.

    A line that is blank in both files is no record, but counts. Raises `InputError` for one that is blank in one file alone:
    leaving it out would shift all lines behind it.
    """

    def __init__(self, path: Path, other: Path) -> None:
        self._lines, self._other = Lines(path), Lines(other)
        if len(self._lines) != len(self._other):
            raise InputError(f"{path} has {len(self._lines)} lines, but {other} beside it has {len(self._other)}")
        for index in range(len(self._lines)):
            mine, theirs = self._lines.number(index), self._other.number(index)
            if mine != theirs:
                blank, filled = (path, other) if mine > theirs else (other, path)
                raise InputError(
                    f"{blank}: line {min(mine, theirs)} is blank, but that of {filled} is not: they belong together"
                )

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"line": self._lines.text(index), "beside": self._other.text(index), "@number": self._lines.number(index)}

    def where(self, index: int) -> str:
        """`file: line 12`."""
        return self._lines.where(index)
