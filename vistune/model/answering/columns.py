"""Keys and values of one layer with room for the next tokens."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers.cache_utils import DynamicLayer

ROOM = 64


class Columns(DynamicLayer):  # type: ignore[misc]
    """Keys and values `[B, kv heads, C, d]` that grow by `ROOM` columns at a time.

    `DynamicLayer` concatenates at each token, which copies everything that was written before: with 16 rows of 100 columns
    that was more than half of a step of a small model. Here a step copies its own column.
    """

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()
        self.lazy_initialization(keys, values)
        self.keys, self.values = keys, values
        self._held = keys, values

    @property
    def bytes(self) -> int:
        """What they take, with the room."""
        return sum(part.numel() * part.element_size() for part in self._held)

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write columns behind the last one; all keys and values, as views of what is held."""
        start = self.keys.shape[2]
        end = start + key_states.shape[2]
        if end > self._held[0].shape[2]:
            self._held = _grown(self.keys, end + ROOM), _grown(self.values, end + ROOM)
        for held, new in zip(self._held, (key_states, value_states), strict=True):
            held[:, :, start:end] = new
        self.keys, self.values = (held[:, :, :end] for held in self._held)
        return self.keys, self.values


def _grown(part: Tensor, width: int) -> Tensor:
    held = part.new_empty((*part.shape[:2], width, part.shape[3]))
    held[:, :, : part.shape[2]] = part
    return held
