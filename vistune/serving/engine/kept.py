"""What one request leaves for the next, each bounded in bytes, the least recently used first to go.

EncodedMedia   a picture that was shown a moment ago is neither decoded nor encoded again
Beginnings     a prompt that begins like an earlier one goes on from that one's keys and values
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vistune.data.media.image import content_hash
from vistune.model.answering.running import Beginning, Pairs
from vistune.model.feature_cache import Level
from vistune.model.features import Features, Layout, Prepared
from vistune.sample import Media

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """A mapping whose values take at most `limit` bytes together; safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self.limit, self.bytes = limit, 0
        self.found = self.missed = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """The value, which becomes the most recently used."""
        with self._lock:
            if key not in self._values:
                self.missed += 1
                return None
            self.found += 1
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: K, value: V, size: int) -> V:
        """Keep a value of `size` bytes unless the key has one; returns the value kept, or a value too large for that."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
            # Too large to keep: it is handed back and used once.
            if size > self.limit:
                return value
            self._values[key] = value, size
            self.bytes += size
            while self.bytes > self.limit:
                _, (_, gone) = self._values.popitem(last=False)
                self.bytes -= gone
            return value

    def drop(self, key: K) -> None:
        """Forget a value."""
        with self._lock:
            if key in self._values:
                self.bytes -= self._values.pop(key)[1]


class EncodedMedia:
    """Keeps to the three methods of `FeatureCache`, in memory: media as they were prepared, and what was made of them."""

    def __init__(self, level: Level, limit: int) -> None:
        self.level: Level = level
        # Half for pixels, half for what was made of them; of tokens and features only one is in use, by `level`.
        self.prepared: Bounded[str, Prepared] = Bounded(limit // 2)
        self._tokens: Bounded[str, Tensor] = Bounded(limit // 2)
        self._features: Bounded[str, Features] = Bounded(limit // 2)

    @property
    def bytes(self) -> int:
        """What is kept, all together."""
        return self.prepared.bytes + self._tokens.bytes + self._features.bytes

    @property
    def made(self) -> Bounded[str, Tensor] | Bounded[str, Features]:
        """What was encoded."""
        return self._tokens if self.level == "connector" else self._features

    def prepare(
        self, medium: Media, where: str, read: Callable[[Media, str], Prepared], layout: Callable[[Media, str], Layout]
    ) -> Prepared:
        """A medium ready for an encoder; the very same object for the same content."""
        key = content_hash(medium, where)
        kept = self.prepared.get(key)
        if kept is not None:
            return kept
        made = replace(read(medium, where), key=key)
        return self.prepared.put(key, made, _bytes(made.inputs))

    def tokens(
        self, media: Sequence[Prepared], connect: Callable[[Sequence[Prepared]], list[Tensor]], device: torch.device
    ) -> list[Tensor]:
        """Tokens `[K, H]` of each of `media`."""
        return _looked_up(self._tokens, media, connect, _bytes)

    def features(
        self, media: Sequence[Prepared], see: Callable[[Sequence[Prepared]], list[Features]], device: torch.device
    ) -> list[Features]:
        """Features of each of `media`."""
        return _looked_up(
            self._features, media, see, lambda made: _bytes(made.x) + sum(map(_bytes, (made.layers or {}).values()))
        )


def _looked_up(
    kept: Bounded[str, V], media: Sequence[Prepared], make: Callable[[Sequence[Prepared]], list[V]], size: Callable[[V], int]
) -> list[V]:
    distinct = {medium.key: medium for medium in media}
    found = {key: value for key in distinct if (value := kept.get(key)) is not None}
    new = [medium for key, medium in distinct.items() if key not in found]
    if new:
        made = make(new)
        found |= {medium.key: kept.put(medium.key, each, size(each)) for medium, each in zip(new, made, strict=True)}
    return [found[medium.key] for medium in media]


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


@dataclass(slots=True)
class _Prompt:
    tokens: NDArray[np.int64]
    embeds: Tensor
    pairs: Pairs


class Beginnings:
    """Keys and values of prompts. Those alike up to their first medium are looked through for the longest agreement.

    A beginning counts as the same when its tokens agree and their embeddings, media's among them, are equal to the bit.
    """

    def __init__(self, limit: int) -> None:
        self.kept: Bounded[int, _Prompt] = Bounded(limit)
        self._groups: dict[int, list[int]] = {}
        self._count = 0
        self.reused = 0  # tokens that were not read again

    def knows(self, group: Hashable) -> bool:
        """Whether there is a prompt of a group."""
        return bool(self._groups.get(hash(group)))

    def find(self, tokens: Sequence[Hashable], group: Hashable, embeds: Tensor) -> Beginning | None:
        """The longest known beginning of a prompt that leaves at least its last token to be read."""
        row, name = _numbers(tokens), hash(group)
        best: tuple[int, _Prompt] | None = None
        numbers = self._groups.get(name, [])
        for number in list(numbers):
            prompt = self.kept.get(number)
            if prompt is None:  # it had to go
                numbers.remove(number)
                continue
            # The agreement is found on token numbers, and only the best one's embeddings are compared, which are a thousand
            # times as large.
            length = _agreement(prompt.tokens, row)
            if length and (best is None or length > best[0]):
                best = length, prompt
        if best is None or not torch.equal(best[1].embeds[: best[0]], embeds[: best[0]]):
            return None
        self.reused += best[0]
        return Beginning(best[1].pairs, best[0])

    def keep(self, tokens: Sequence[Hashable], group: Hashable, embeds: Tensor, pairs: Pairs) -> None:
        """Remember a prompt; one that it goes on from is forgotten."""
        row, name = _numbers(tokens), hash(group)
        numbers = self._groups.setdefault(name, [])
        for number in list(numbers):
            prompt = self.kept.get(number)
            if prompt is None or (len(prompt.tokens) <= len(row) and np.array_equal(prompt.tokens, row[: len(prompt.tokens)])):
                self.kept.drop(number)
                numbers.remove(number)
        self._count += 1
        size = _bytes(embeds) + sum(_bytes(part) for pair in pairs for part in pair)
        self.kept.put(self._count, _Prompt(row, embeds, pairs), size)
        numbers.append(self._count)
        # Groups whose prompts have all gone are swept now and then; doing it with each prompt would be quadratic.
        if len(self._groups) > 2 * len(self.kept) + 16:
            self._groups = {name: numbers for name, numbers in self._groups.items() if any(map(self._alive, numbers))}

    def _alive(self, number: int) -> bool:
        return self.kept.get(number) is not None


def _numbers(tokens: Sequence[Hashable]) -> NDArray[np.int64]:
    # Hashes of media may collide with token ids; the embeddings are compared to the bit before anything is shared.
    return np.array([token if isinstance(token, int) else hash(token) for token in tokens], dtype=np.int64)


def _agreement(known: NDArray[np.int64], row: NDArray[np.int64]) -> int:
    """How many tokens both begin with, the last of `row` left over."""
    length = min(len(known), len(row) - 1)
    differ = np.flatnonzero(known[:length] != row[:length])
    return int(differ[0]) if len(differ) else length
