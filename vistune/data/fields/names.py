"""Names of classes: given as they are, or in a small file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vistune.data.records.delimited import Delimited
from vistune.data.records.json_records import Lines
from vistune.errors import InputError


def read_names(names: Mapping[str, str] | str, columns: list[str] | None = None) -> dict[str, str]:
    """Key -> name. A path is a file of lines `key name...` (`n01440764 tench, Tinca tinca`); with `columns` (the key's and the
    name's) a tab-separated file with a header line.

    Raises `InputError` for a line without a name or a key given twice.
    """
    if not isinstance(names, str):
        return {str(key): name for key, name in names.items()}
    if columns is None:
        lines = Lines(Path(names))
        pairs = [(lines.where(number), lines.text(number).partition(" ")) for number in range(len(lines))]
        found = [(where, key, name.strip()) for where, (key, _, name) in pairs]
    else:
        key_column, name_column = columns
        rows = Delimited(Path(names), "\t", None, quoted=False)
        if strange := [column for column in columns if column not in rows.columns]:
            raise InputError(f"{names} has no column {strange[0]!r}")
        found = [(rows.where(number), rows[number][key_column], rows[number][name_column]) for number in range(len(rows))]
    result: dict[str, str] = {}
    for where, key, name in found:
        if not name or key in result:
            raise InputError(f"{where}: {key!r} has no name" if not name else f"{where}: {key!r} is given twice")
        result[key] = name
    return result
