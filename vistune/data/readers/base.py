"""What all readers share: access by index, negative indices, iteration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

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

    def __getitem__(self, index: int) -> Sample:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        return self.sample(index % len(self))

    def __iter__(self) -> Iterator[Sample]:
        return (self.sample(index) for index in range(len(self)))
