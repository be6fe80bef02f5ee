"""Which keys of a record a reader met and did not use: what it drops is named instead of lost."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from typing import Any

_NOTHING: tuple[Any, ...] = (None, "", [], {}, ())


class Met(Mapping[str, Any]):
    """A record that remembers which of its keys were looked up. Looking at `items()` as a whole uses none of them."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._record = record
        self._used: set[str] = set()
        self._inner: dict[str, None] = {}

    def __getitem__(self, key: str) -> Any:
        self._used.add(key)
        return self._record[key]

    def __contains__(self, key: object) -> bool:
        return key in self._record

    def __iter__(self) -> Iterator[str]:
        return iter(self._record)

    def __len__(self) -> int:
        return len(self._record)

    def items(self) -> ItemsView[str, Any]:
        """All of it, used or not."""
        return self._record.items()

    def note(self, name: str, inner: Met) -> None:
        """Count the unused keys of a record inside this one, as `name.key`."""
        self._inner |= dict.fromkeys(f"{name}.{key}" for key in inner.unused())

    def unused(self) -> tuple[str, ...]:
        """Keys that hold something and were never looked up; an id tells training nothing, nor do a reader's own `@` keys."""
        left = (key for key, value in self._record.items() if key not in self._used and value not in _NOTHING)
        return (*(str(key) for key in left if key != "id" and not str(key).startswith("@")), *self._inner)
