"""Batches of images, and the bank that holds what the frozen image tower made of a fixed list of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

CHUNK = 64
LIMIT = 2 << 30  # bytes of activations one bank may hold


class Bank:
    """A fixed list of images whose pixels are made on demand, and the frozen activations computed from them so far.

    `pixels(ids)` gives `[len(ids), 3, H, W]`, normalised, always the same for the same id.
    """

    def __init__(self, pixels: Callable[[Sequence[int]], Tensor], size: int, *, limit: int = LIMIT) -> None:
        self.pixels = pixels
        self.size = size
        self.limit = limit
        self._kept: dict[str, Tensor] = {}

    def get(self, key: str, ids: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        """What `compute(pixels)` gives for the images `ids`, from memory after the first call.

        The whole bank is filled at once; a kind of activation that would take more than `limit` bytes is computed anew.
        """
        if key in self._kept:
            return self._kept[key][ids]
        with torch.no_grad():
            first = compute(self.pixels(ids[:1].tolist()))
            if first[0].numel() * first.element_size() * self.size > self.limit:
                return compute(self.pixels(ids.tolist()))
            chunks = [compute(self.pixels(range(at, min(at + CHUNK, self.size)))) for at in range(0, self.size, CHUNK)]
        self._kept[key] = torch.cat(chunks)
        return self._kept[key][ids]


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """A batch: pixels `[B, 3, H, W]`, or rows `ids [B]` of a bank (then pixels are only made when something needs them)."""

    tensor: Tensor | None = None
    bank: Bank | None = None
    ids: Tensor | None = None

    def __post_init__(self) -> None:
        if (self.tensor is None) == (self.bank is None) or (self.bank is None) != (self.ids is None):
            raise ValueError("a batch of images is either pixels or rows of a bank")

    def __len__(self) -> int:
        return len(self.tensor) if self.tensor is not None else len(self.ids) if self.ids is not None else 0

    @property
    def pixels(self) -> Tensor:
        """The pixels `[B, 3, H, W]`."""
        if self.tensor is not None:
            return self.tensor
        assert self.bank is not None and self.ids is not None
        return self.bank.pixels(self.ids.tolist())

    def select(self, index: Tensor) -> Images:
        """Some of the batch."""
        if self.tensor is not None:
            return Images(self.tensor[index])
        assert self.ids is not None
        return Images(bank=self.bank, ids=self.ids[index])
