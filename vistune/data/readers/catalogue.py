"""A data set of the catalogue, unpacked in a folder: `catalogue:vqa_v2?path=data/vqa&part=val2014`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vistune.data.catalogue import find
from vistune.data.readers.base import Reader, declared, told
from vistune.data.samples import read
from vistune.errors import InputError
from vistune.sample import Sample


class Catalogue(Reader):
    """The samples of a named data set, with `dataset` and `part` added to their meta.

    name:    the data set, see `vistune data list`
    path:    the folder it was unpacked in, in the layout `vistune data show NAME` describes
    part:    which of its files (default: its first)
    images:  the folder of its media, where they lie elsewhere (COCO's pictures serve many data sets)
    """

    def __init__(self, name: str, path: str, part: str | None = None, images: str | None = None) -> None:
        entry = find(name)
        if not Path(path).is_dir():
            raise InputError(f"{path} is no folder: give the one that {entry.title} was unpacked in ({entry.obtain})")
        self._meta = {"dataset": name, "part": next(iter(entry.parts)) if part is None else part}
        self._samples = read(entry.spec(path, part, **({} if images is None else {"images": images})))
        if not len(self._samples):
            raise InputError(f"{path} holds no sample of {entry.title}: compare its files with  vistune data show {name}")

    def __len__(self) -> int:
        return len(self._samples)

    def sample(self, index: int) -> Sample:
        """One sample of the data set."""
        return self.told(index)[0]

    def declared(self, index: int) -> tuple[float, float] | None:
        """What the samples' own reader says."""
        return declared(self._samples, index)

    def told(self, index: int) -> tuple[Sample, tuple[str, ...]]:
        """As the data set's own reader tells it."""
        sample, unused = told(self._samples, index)
        return replace(sample, meta={**sample.meta, **self._meta}), unused
