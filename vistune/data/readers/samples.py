"""The project's own format: one `Sample.to_json` a line. It holds everything a sample can."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vistune.data.fields import as_object
from vistune.data.media_files import folder_of, media_file
from vistune.data.readers.base import Reader
from vistune.data.records import KEY, JsonLines, Records
from vistune.sample import Media, Sample


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
        sample = Sample.from_json({key: value for key, value in record.items() if key not in beside and key != KEY}, where)
        return replace(sample, media=tuple(self._placed(medium, beside, where) for medium in sample.media))

    def _placed(self, medium: Media, beside: Mapping[str, Media], where: str) -> Media:
        if medium.path is None or medium.path in beside:
            return medium if medium.path is None else beside[medium.path]
        name = medium.path
        if Path(name).is_absolute():
            root = os.path.abspath(self._folder)
            inner = os.path.normpath(name)
            if inner.startswith(root.rstrip(os.sep) + os.sep):
                name = os.path.relpath(inner, root)
        return replace(medium, path=media_file(medium.kind, self._folder, name, where).path)
