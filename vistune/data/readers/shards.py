"""Shards: WebDataset tar archives, parquet files with bytes, base64 tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vistune.data.readers.base import Reader
from vistune.data.records.json_records import KEY
from vistune.data.records.shard_records import Concatenated, open_shard, shard_files
from vistune.errors import InputError
from vistune.sample import Sample
from vistune.spec import build, split


class Shards(Reader):
    """Many files read as one.

    path:    a file, a pattern (`data-*.tar`) or a range (`data-{000..127}.tar`)
    layout:  the reader of the records inside, its name or a spec without `path`: default
             `{"kind": "captions", "medium": "@image", "caption": "txt", "id": "@key"}` (see `shard_records.TarRecords` for the
             keys of a tar archive's records); `{"kind": "conversations"}` or `{"kind": "qa", ...}` work alike

    `ends` are the numbers of samples up to the end of each shard, by which `vistune.data.order.stream` splits the work.
    """

    def __init__(self, path: str, layout: str | Mapping[str, Any] | None = None) -> None:
        files = shard_files(path)
        records = Concatenated([open_shard(file) for file in files])
        spec = layout or {"kind": "captions", "medium": "@image", "caption": "txt", "id": KEY}
        if (isinstance(spec, Mapping) and "path" in spec) or split(spec)[0] in ("shards", "huggingface"):
            raise InputError("shards: layout is a reader of records, without a path of its own")
        self.ends = records.ends
        self._samples: Reader = build("vistune.data.readers", spec, Reader, path=str(Path(files[0])), records=records)

    def __len__(self) -> int:
        return len(self._samples)

    def sample(self, index: int) -> Sample:
        """One record of one shard."""
        return self._samples.sample(index)

    def declared(self, index: int) -> tuple[float, float] | None:
        """What the samples' own reader says."""
        return self._samples.declared(index)

    def told(self, index: int) -> tuple[Sample, tuple[str, ...]]:
        """As the reader of the layout tells it."""
        return self._samples.told(index)
