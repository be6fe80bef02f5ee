"""The project's own format: one `Sample.to_json` a line. It holds everything a sample can."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vistune.data.fields.media_files import folder_of, media_file
from vistune.data.fields.typed import as_object, as_text, as_whole, wrong
from vistune.data.readers.base import Reader
from vistune.data.records.json_records import KEY, JsonLines, Records
from vistune.errors import InputError
from vistune.sample import Media, Region, Sample


class Samples(Reader):
    """`vistune data convert`, the builders and the world write it.

    path:    the .jsonl file (or a shard, see the shards reader, whose files are then the media)
    images:  the folder the media's paths are relative to (default: the file's own); an absolute path must lie inside it
    """

    def __init__(self, path: str, images: str | None = None, records: Records | None = None) -> None:
        self._records = JsonLines(Path(path)) if records is None else records
        self._folder = folder_of(path, images)

    def __len__(self) -> int:
        return len(self._records)

    def sample(self, index: int) -> Sample:
        """One line."""
        where = self._records.where(index)
        record = as_object(self._records[index], where)
        beside = {key: value for key, value in record.items() if isinstance(value, Media)}
        plain = {key: value for key, value in record.items() if key not in beside and key != KEY}
        try:
            sample = Sample.from_json(plain, where)
        except (IndexError, OverflowError, MemoryError) as error:
            raise InputError(f"{where}: {error}") from error
        _check_types(sample, where)
        _refuse_changes(plain, sample.to_json(), where, "the record")
        return replace(sample, media=tuple(self._placed(medium, beside, where) for medium in sample.media))

    def _placed(self, medium: Media, beside: Mapping[str, Media], where: str) -> Media:
        if medium.path is None:
            return medium
        if medium.path in beside:  # its ending is only a guess at the kind
            return replace(beside[medium.path], kind=medium.kind)
        name = medium.path
        if Path(name).is_absolute():
            root = os.path.abspath(self._folder)
            inner = os.path.normpath(name)
            if inner.startswith(root.rstrip(os.sep) + os.sep):
                name = os.path.relpath(inner, root)
        return replace(medium, path=media_file(medium.kind, self._folder, name, where).path)


def _check_types(sample: Sample, where: str) -> None:
    """What `Sample` leaves to type checkers, data has to prove."""
    for medium in sample.media:
        if medium.path is not None:
            as_text(medium.path, where, "'path'")
        if (
            medium.offset is not None
            and min(as_whole(medium.offset, where, "'offset'"), as_whole(medium.length, where, "'length'")) < 0
        ):
            raise InputError(f"{where}: a byte range begins at {medium.offset} and is {medium.length} long")
    parts = [part for turn in sample.turns for part in turn.parts]
    for region in [*sample.regions, *(part for part in parts if isinstance(part, Region))]:
        if region.label is not None:
            as_text(region.label, where, "'label'")


_DEFAULTS: dict[str, Any] = {"train": True, "on": 0, "label": None, "offset": None, "length": None, "path": None}


def _refuse_changes(given: Any, made: Any, where: str, name: str) -> None:
    """Refuse what would silently become something else: a fifth number of a box, 0.7 as an index, "no" as a truth value."""
    if isinstance(given, Mapping) and isinstance(made, Mapping):
        for key in {**given, **made}:
            empty = _DEFAULTS.get(key, given.get(key) if given.get(key) in ([], {}) else ...)
            _refuse_changes(given.get(key, empty), made.get(key, empty), where, f"{key!r}")
    elif isinstance(given, list) and isinstance(made, list) and len(given) == len(made):
        for one, other in zip(given, made, strict=True):
            _refuse_changes(one, other, where, f"an element of {name}")
    elif isinstance(given, bool) != isinstance(made, bool) or given != made:
        raise wrong(where, name, None if given is ... else given, f"what a sample holds there ({str(made)[:60]})")
