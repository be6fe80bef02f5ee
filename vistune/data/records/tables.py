"""Raw records of any common file format: CSV, TSV, pipe text, parquet, all that `records` opens; joined, unnested."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vistune.data.fields.typed import Record, as_list, as_object, dig
from vistune.data.records.delimited import Delimited
from vistune.data.records.file_patterns import Files
from vistune.data.records.json_records import Records, open_records
from vistune.data.records.matlab import Matlab
from vistune.data.records.parquet import Parquet
from vistune.data.records.pickled import Pickled
from vistune.data.records.whole_file import WholeFile
from vistune.errors import InputError, nearest

DELIMITERS = {".csv": ",", ".tsv": "\t"}


def open_table(
    path: str | Path,
    at: str | None = None,
    columns: Sequence[str] | None = None,
    delimiter: str | None = None,
    quoted: bool | None = None,
    keep: Mapping[str, Any] | None = None,
    among: Mapping[str, str] | None = None,
) -> Records:
    """Open records by the file's ending.

    .json .jsonl    see `records`; `at` is the key of the list
    .csv .tsv       with a header line, or `columns`; `quoted` (CSV: true, TSV: false) says whether quotes enclose fields
    .parquet        needs pyarrow
    .pkl .p         a pickled list of plain data, all in memory
    .mat            a MATLAB file; `at` is the variable
    any other       delimited text: `delimiter` is needed
    at="."          the JSON file itself is the one record
    {a}/{b}.txt     every file that a path with names in braces matches, see `file_patterns`

    `keep` leaves the records whose fields have the given value, or one of a list of values; `among` those whose fields have a
    value of the list that a JSON file holds (the images of a split).

    Raises `InputError` for a file that cannot be read or arguments that do not fit it.
    """
    if among is not None:
        keep = {**(keep or {}), **{field: _listed(Path(file)) for field, file in among.items()}}
    if keep is not None:
        return Kept(open_table(path, at, columns, delimiter, quoted), keep)
    if "{" in str(path):
        return Files(str(path), lambda file: open_table(file, at, columns, delimiter, quoted))
    path = Path(path)
    if at == ".":
        return WholeFile(path)
    delimiter = delimiter or DELIMITERS.get(path.suffix.lower())
    if delimiter is None and (columns is not None or quoted is not None):
        raise InputError(f"{path}: columns and quoted are for delimited text: name its delimiter")
    if delimiter is not None:
        if at is not None:
            raise InputError(f"{path} is delimited text and has no key {at!r}")
        return Delimited(path, delimiter, columns, quoted=delimiter == "," if quoted is None else quoted)
    if path.suffix.lower() == ".parquet":
        return Parquet(path)
    if path.suffix.lower() in (".pkl", ".p"):
        return Pickled(path, at)
    if path.suffix.lower() == ".mat":
        return Matlab(path, at)
    if path.suffix.lower() == ".txt":
        raise InputError(f"{path}: text of what form? Name its delimiter, for example delimiter='|'")
    return open_records(path, at)


def _listed(path: Path) -> frozenset[str | int]:
    """The texts and whole numbers of a JSON list."""
    values = WholeFile(path)[0]
    if not isinstance(values, list) or not all(isinstance(value, str | int) for value in values):
        raise InputError(f"{path}: expected a JSON list of texts or whole numbers")
    return frozenset(values)


class Kept:
    """Those records whose fields have the wanted values. Opening parses every record once; broken ones stay, to be reported."""

    def __init__(self, records: Records, keep: Mapping[str, Any]) -> None:
        self._records = records
        self._wanted = {path: value if isinstance(value, list | tuple | frozenset) else [value] for path, value in keep.items()}
        self._kept = np.array([index for index in range(len(records)) if self._wants(index)], np.int64)
        if len(records) and not len(self._kept):
            raise InputError(f"{records.where(0)} and all after it: none has {str(dict(keep))[:200]}")

    def _wants(self, index: int) -> bool:
        try:
            return self._fits(index, self._records[index])
        except InputError:
            return True  # raised again, and so reported, when that record is read

    def _fits(self, index: int, record: Any) -> bool:
        where = self.where_of(index)
        found = ((dig(record, path, where), values) for path, values in self._wanted.items())
        return all(isinstance(value, Hashable) and value in values for value, values in found)

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index: int) -> Any:
        which = int(self._kept[index])
        record = self._records[which]
        self._fits(which, record)
        return record

    def where_of(self, index: int) -> str:
        """The place of a record of the whole table."""
        return self._records.where(index)

    def where(self, index: int) -> str:
        """The record's place."""
        return self.where_of(int(self._kept[index]))


def arrange(
    records: Records,
    *,
    join: str | Records | None = None,
    join_at: str | None = None,
    on: str | None = None,
    each: str | None = None,
    zipped: Sequence[str] | None = None,
) -> Records:
    """What readers offer beyond a plain table, in this order: `Joined` with a second file, `Unnested` by one key, by many."""
    if (join is None) != (on is None):
        raise InputError("join (the second file) and on (the common key) belong together")
    if join is not None and on is not None:
        records = Joined(records, open_table(join, join_at) if isinstance(join, str) else join, on)
    if each is not None:
        records = Unnested(records, [each])
    return records if zipped is None else Unnested(records, zipped)


class Unnested:
    """Records that hold a list, as one record an element.

    One key: `{"id": 5, "qas": [{"q": "a"}]}` gives `{"id": 5, "q": "a"}` (an element's keys win; an element that is no object
    comes as "value"). Several keys name lists of equal length, whose elements take the lists' places: `["words", "boxes"]`
    turns `{"id": 5, "words": [w, ...], "boxes": [b, ...]}` into `{"id": 5, "words": w, "boxes": b}`, .... Keys may be
    dotted paths; a list then goes by the path's last name. Opening parses every record once to count.
    """

    def __init__(self, outer: Records, keys: Sequence[str]) -> None:
        self._outer, self._keys = outer, list(keys)
        counts = np.zeros(len(outer) + 1, np.int64)
        for index in range(len(outer)):
            try:
                counts[index + 1] = len(self._lists(index)[1][0])
            except InputError:
                counts[index + 1] = 1  # raised again, and so reported, when that record is read
        self._starts = np.cumsum(counts)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def _lists(self, index: int) -> tuple[Record, list[Sequence[Any]]]:
        where = self._outer.where(index)
        record = as_object(self._outer[index], where)
        lists = [as_list(dig(record, key, where), where, f"{key!r}") for key in self._keys]
        if len({len(items) for items in lists}) > 1:
            lengths = ", ".join(f"{key!r} {len(items)}" for key, items in zip(self._keys, lists, strict=True))
            raise InputError(f"{where}: lists that belong together differ in length: {lengths}")
        return record, lists

    def _place(self, index: int) -> tuple[int, int]:
        outer = int(np.searchsorted(self._starts, index, side="right")) - 1
        return outer, index - int(self._starts[outer])

    def __getitem__(self, index: int) -> Any:
        outer, inner = self._place(index)
        record, lists = self._lists(outer)
        if len(lists) > 1:
            names = [key.rpartition(".")[2] for key in self._keys]
            return {**record, **{name: items[inner] for name, items in zip(names, lists, strict=True)}}
        item = lists[0][inner]
        around = {key: value for key, value in record.items() if key != self._keys[0]}
        return {**around, **item} if isinstance(item, Mapping) else {**around, "value": item}

    def where(self, index: int) -> str:
        """The outer record's place, and which element of it."""
        outer, inner = self._place(index)
        return f"{self._outer.where(outer)}: {self._keys[0]} {inner + 1}"


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
