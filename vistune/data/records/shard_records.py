"""Raw records of shards: WebDataset tar archives, and any other table, one behind the other."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vistune.data.fields.media_files import SUFFIXES
from vistune.data.fields.typed import plain_text
from vistune.data.records.index import read_range
from vistune.data.records.json_records import KEY, Records
from vistune.data.records.strict_json import parse_json
from vistune.data.records.tables import open_table
from vistune.data.records.tar import Member, tar_members
from vistune.errors import InputError
from vistune.files import escapes
from vistune.sample import Media

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


class TarRecords:
    """One record per group of files with the same name up to its first dot: `{"@key": name, ending: content, ...}`.

    `.json` joins its keys to the record, `.txt`, `.text`, `.caption` and `.cls` are text, media byte ranges in the archive; the
    first medium of each kind also goes by "@image", "@video", "@audio" or "@points". Other endings are not read; hidden
    files and those without an ending are no part of the data, as in the webdataset library.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._groups: list[tuple[str, list[Member]]] = []
        for member in tar_members(path):
            folder, _, base = member.name.rpartition("/")
            if base.startswith(".") or "." not in base:  # a README, or what macOS puts before each file ("._0.jpg")
                continue
            key = f"{folder}/{base.partition('.')[0]}" if folder else base.partition(".")[0]
            if not self._groups or self._groups[-1][0] != key:
                self._groups.append((key, []))
            self._groups[-1][1].append(member)

    def __len__(self) -> int:
        return len(self._groups)

    def where(self, index: int) -> str:
        """`shard.tar: 000123`."""
        return f"{self.path}: {self._groups[index][0]}"

    def __getitem__(self, index: int) -> dict[str, Any]:
        where = self.where(index)
        key, members = self._groups[index]
        record: dict[str, Any] = {KEY: key}
        for member in members:
            ending = member.name.rpartition("/")[2].partition(".")[2].lower()
            if ending in record:
                raise InputError(f"{where}: two files end in .{ending}")
            last = "." + ending.rpartition(".")[2]
            if ending == "json":
                record |= self._json(member, record, where)
            elif last in SUFFIXES:
                medium = Media(SUFFIXES[last], str(self.path), member.offset, member.length)
                record[ending] = medium
                record.setdefault(f"@{medium.kind}", medium)
            elif last in (".txt", ".text", ".caption", ".cls"):
                record[ending] = self._text(member, where)
        return record

    def _bytes(self, member: Member) -> bytes:
        return read_range(self.path, member.offset, member.offset + member.length)

    def _text(self, member: Member, where: str) -> str:
        try:
            return plain_text(self._bytes(member))
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: {member.name}: byte {error.start} is not UTF-8") from error

    def _json(self, member: Member, record: dict[str, Any], where: str) -> dict[str, Any]:
        value = parse_json(self._bytes(member), f"{where}: {member.name}")
        if not isinstance(value, dict):
            return {"json": value}
        if clash := record.keys() & value.keys():
            raise InputError(f"{where}: {sorted(clash)[0]!r} is both a file and a key of {member.name}")
        return value


class Concatenated:
    """Several sources of records, one behind the other."""

    def __init__(self, sources: Sequence[Records]) -> None:
        self._sources = list(sources)
        self.ends = np.cumsum([len(source) for source in self._sources], dtype=np.int64)

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def _place(self, index: int) -> tuple[Records, int]:
        which = int(np.searchsorted(self.ends, index, side="right"))
        return self._sources[which], index - (int(self.ends[which - 1]) if which else 0)

    def __getitem__(self, index: int) -> Any:
        source, inner = self._place(index)
        return source[inner]

    def where(self, index: int) -> str:
        """The source's own name for it."""
        source, inner = self._place(index)
        return source.where(inner)


def glob_root(pattern: str) -> str:
    """The folder that a pattern's files lie in, as far as it is named."""
    plain = pattern
    while glob.has_magic(plain):
        plain = os.path.dirname(plain)
    return plain or "."


def shard_files(pattern: str) -> list[str]:
    """`data-{000..127}.tar` and `data-*.tar` to file names, sorted. Raises `InputError` when there is none."""
    match = _RANGE.search(pattern)
    if match is None:
        files = sorted(glob.glob(pattern))
        if not files:
            raise InputError(f"there is no file {pattern}")
        if links := [file for file in files if file != pattern and escapes(glob_root(pattern), file)]:
            raise InputError(f"{links[0]} is a link that leads out of the folder of {pattern}: name it alone, or copy it there")
        return files
    first, last = match[1], match[2]
    numbers = [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    if not numbers:
        raise InputError(f"{pattern}: the range {match[0]} is empty")
    return [file for number in numbers for file in shard_files(pattern[: match.start()] + number + pattern[match.end() :])]


def open_shard(path: str) -> Records:
    """A tar archive, or whatever `open_table` reads."""
    return TarRecords(Path(path)) if path.endswith(".tar") else open_table(path)
