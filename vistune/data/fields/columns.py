"""Columns of media as conversations and messages have them: one rule for both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vistune.data.fields.fieldmap import medium_of
from vistune.data.fields.typed import wrong
from vistune.errors import InputError
from vistune.sample import Media, MediaKind


def media_columns(record: Mapping[str, Any], columns: Mapping[str, MediaKind], where: str, folder: Path) -> list[Media]:
    """The media of a record, column by column: file names, `{bytes, path}` as parquet has them, lists of these.

    Null and an empty name are no medium. In a shard the files of the record's own group are its media; where its JSON names
    files, too, there must be as many, and the group's are taken.
    """
    grouped: dict[MediaKind, list[Media]] = {}
    for key, value in record.items():
        # Keys with @ are second names of the same files.
        if isinstance(value, Media) and not key.startswith("@"):
            grouped.setdefault(value.kind, []).append(record[key])
    found: list[Media] = []
    named: dict[MediaKind, int] = {}
    for key, kind in columns.items():
        value = record.get(key)
        for item in value if isinstance(value, list | tuple) else [value]:
            if item is None or item == "" or isinstance(item, Media):
                continue
            if not isinstance(item, str | bytes | Mapping):
                raise wrong(where, f"the {kind}'s file name", item, "text")
            named[kind] = named.get(kind, 0) + 1
            if kind not in grouped:
                found.append(medium_of(item, where, kind, folder))
    for kind, media in grouped.items():
        if named.get(kind, len(media)) != len(media):
            raise InputError(f"{where}: names {named[kind]} files of kind {kind}, but {len(media)} lie beside it in the shard")
        found += media
    return found


def kept(record: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    """The other keys, for `Sample.meta`, which is plain JSON: without media of a shard and keys that a reader made."""
    return {
        key: value
        for key, value in record.items()
        if key not in known and not key.startswith("@") and not isinstance(value, Media)
    }
