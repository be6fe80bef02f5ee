"""Data sets of the `datasets` library: from a local folder, or from the hub when asked to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vistune.data.readers.base import Reader
from vistune.errors import InputError, MissingExtraError, reading
from vistune.sample import Sample
from vistune.spec import build, split


class Huggingface(Reader):
    """A `datasets` data set; its rows are the records of another reader.

    path:      a folder written by `save_to_disk`, a folder of data files, or, with `download=true`, a name on the hub
    split:     e.g. train (needed when there are several)
    config:    the configuration's name, where there are several
    layout:    the reader of the rows, its name or a spec without `path`: default `{"kind": "messages"}`
    revision:  of a hub data set; name one, so that the data stays the same
    download:  allow the network

    Images stay encoded bytes until they are decoded. No code of a data set is run.
    """

    def __init__(
        self,
        path: str,
        split: str | None = None,
        config: str | None = None,
        layout: str | Mapping[str, Any] | None = None,
        revision: str | None = None,
        download: bool = False,
    ) -> None:
        rows = open_rows(path, config, split, revision, download)
        spec = layout or {"kind": "messages"}
        _check(spec)
        folder = path if Path(path).is_dir() else "."
        self._samples: Reader = build(
            "vistune.data.readers", spec, Reader, path=str(Path(folder) / Path(path).name), records=rows
        )

    def __len__(self) -> int:
        return len(self._samples)

    def sample(self, index: int) -> Sample:
        """One row."""
        return self._samples.sample(index)

    def told(self, index: int) -> tuple[Sample, tuple[str, ...]]:
        """As the reader of the layout tells it."""
        return self._samples.told(index)


class Rows:
    """The rows of a `datasets.Dataset` as raw records."""

    def __init__(self, rows: Any, name: str) -> None:
        self._rows, self._name = rows, name

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Any:
        with reading(f"{self.where(index)} cannot be read"):
            return self._rows[index]

    def where(self, index: int) -> str:
        """`name: row 12`, counted from 1."""
        return f"{self._name}: row {index + 1}"


def _check(spec: str | Mapping[str, Any]) -> None:
    if (isinstance(spec, Mapping) and "path" in spec) or split(spec)[0] in ("shards", "huggingface"):
        raise InputError("huggingface: layout is a reader of records, without a path of its own")


def is_saved(path: Path) -> bool:
    """Whether `save_to_disk` of `datasets` wrote this folder."""
    return any((path / name).is_file() for name in ("dataset_info.json", "dataset_dict.json"))


def open_rows(
    path: str, config: str | None = None, part: str | None = None, revision: str | None = None, download: bool = False
) -> Rows:
    """The rows of a `datasets` data set, as `Huggingface` explains; `part` is the split. Raises `InputError`."""
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("datasets", "datasets", f"reading {path}") from error
    local = Path(path).is_dir()
    if not local and not download:
        raise InputError(f"there is no folder {path}: to fetch a data set of that name from the hub, say download=true")
    try:
        saved = is_saved(Path(path))
        found = datasets.load_from_disk(path) if saved else datasets.load_dataset(path, config, revision=revision)
    except Exception as error:  # the library raises errors of many kinds for a folder or a name it cannot use
        raise InputError(f"datasets cannot open {path}: {error}") from error
    if isinstance(found, dict):
        if part is None and len(found) == 1:
            part = next(iter(found))
        if part not in found:
            raise InputError(f"{path} has the splits {', '.join(found)}: choose one with split=")
        found = found[part]
    return Rows(_undecoded(found, datasets), path)


def _undecoded(rows: Any, datasets: Any) -> Any:
    """Image columns, alone or in lists, as `{bytes, path}`."""
    for name, feature in rows.features.items():
        inner = feature.feature if isinstance(feature, datasets.List) else feature
        if isinstance(inner, datasets.Image):
            plain = datasets.Image(decode=False)
            rows = rows.cast_column(name, datasets.List(plain) if inner is not feature else plain)
    return rows
