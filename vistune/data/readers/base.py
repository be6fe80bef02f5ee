"""What all readers share: access by index, negative indices, iteration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, overload

from vistune.data.fields.met import Met
from vistune.data.records.json_records import Records
from vistune.sample import Sample


class Reader(ABC):
    """A sequence of samples over indexed records. A reader says how many there are and how one becomes a `Sample`.

    Opening indexes; nothing is kept but offsets, so a reader is cheap to fork and to pickle. A record that cannot become a
    sample raises `InputError` when it is asked for: the others stay readable, and `vistune data check` lists them all.
    """

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def sample(self, index: int) -> Sample:
        """Sample number `index`, `0 <= index < len(self)`. Raises `InputError` naming the file and the record."""

    def told(self, index: int) -> tuple[Sample, tuple[str, ...]]:
        """The sample, and the keys of its record that hold something and that the reader makes no use of.

        A reader that knows its format's records by their keys names them; a reader over others passes on what they say.
        """
        return self.sample(index), ()

    def declared(self, index: int) -> tuple[float, float] | None:
        """Width and height that the record gives its first image, where boxes are counted in these pixels."""
        return None

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...

    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self.sample(number) for number in range(len(self))[index]]
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        return self.sample(index % len(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self):,} samples)"

    def _repr_html_(self) -> str:
        """The first samples, for a notebook."""
        shown = "".join(sample._repr_html_() for sample in self[:3])
        return f"<p><b>{escape(repr(self))}</b></p>{shown}"

    def __iter__(self) -> Iterator[Sample]:
        return (self.sample(index) for index in range(len(self)))


def told(samples: Any, index: int) -> tuple[Sample, tuple[str, ...]]:
    """What `Reader.told` gives for samples of any kind: those that are no reader have no keys."""
    return samples.told(index) if isinstance(samples, Reader) else (samples[index], ())


def declared(samples: Any, index: int) -> tuple[float, float] | None:
    """What `Reader.declared` gives, for samples of any kind."""
    return samples.declared(index) if isinstance(samples, Reader) else None


class RecordReader(Reader):
    """A reader whose samples are one record each, read by its keys. Subclasses set `_records` and say how one is made."""

    _records: Records

    @abstractmethod
    def made(self, record: Any, index: int, where: str) -> Sample:
        """The sample of a record. Raises `InputError`, beginning with `where`."""

    def __len__(self) -> int:
        return len(self._records)

    def sample(self, index: int) -> Sample:
        """The sample of one record."""
        return self.told(index)[0]

    def told(self, index: int) -> tuple[Sample, tuple[str, ...]]:
        """The sample, and the keys that were not looked up for it."""
        record = self._records[index]
        met = Met(record) if isinstance(record, Mapping) else None
        sample = self.made(record if met is None else met, index, self._records.where(index))
        return sample, () if met is None else met.unused()
