"""The state that flows through a tower: a head every class shares, a tail each class has, and named token groups.

    text    head = [SOS][context]          one a row (an image, a prompt), run once whatever the number of classes
            tail = [name][.][EOT][pad]     one a row and class; sees the head's keys and values
    vision  head empty, tail = [CLS][patches][...], one a row

Under a causal mask the head cannot depend on what follows, so sharing it is exact. The moment a class needs tokens of
its own inside the head, head and tail are joined and the sharing ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vistune.promptlearn.edits import Tokens


@dataclass(frozen=True, slots=True)
class Sequence:
    """Token states `head [G, P, d]` and `tail [G, N, S, d]`; positions run over the joined length `P + S`.

    `groups` maps a name to (start, length); `pool [N]` is the position the feature is read at, also where the text ends.
    """

    head: Tensor
    tail: Tensor
    groups: dict[str, tuple[int, int]]
    pool: Tensor

    @property
    def split(self) -> int:
        """Where the tail starts."""
        return self.head.shape[1]

    @property
    def length(self) -> int:
        """Positions altogether."""
        return self.split + self.tail.shape[2]

    def joined(self) -> Sequence:
        """The same state without a shared head."""
        if not self.split:
            return self
        rows, classes = self.tail.shape[:2]
        head = self.head[:, None].expand(rows, classes, -1, -1)
        return replace(self, head=self.head[:, :0], tail=torch.cat([head, self.tail], dim=2))

    def put(self, op: Tokens) -> Sequence:
        """Replace the tokens of `op.group`, or create that group."""
        if op.group in self.groups:
            start, length = self.groups[op.group]
            if length != op.values.shape[-2]:
                raise ValueError(f"group {op.group!r} has {length} tokens, {op.values.shape[-2]} were given")
            return self._write(op, start, start + length)
        start = 1 if op.where == "after_first" else self.length
        added = op.values.shape[-2]
        shifted = {name: (at + added if at >= start else at, length) for name, (at, length) in self.groups.items()}
        pool = torch.where(self.pool >= start, self.pool + added, self.pool)
        written = self._write(op, start, start)
        return replace(written, groups={**shifted, op.group: (start, added)}, pool=pool)

    def _write(self, op: Tokens, start: int, stop: int) -> Sequence:
        """Positions `start .. stop` become `op.values`."""
        if op.per != "class" and stop <= self.split:
            values = op.values.expand(self.head.shape[0], -1, -1)
            return replace(self, head=torch.cat([self.head[:, :start], values, self.head[:, stop:]], dim=1))
        whole = self if start >= self.split else self.joined()
        at, end = start - whole.split, stop - whole.split
        values = op.values[:, None] if op.per == "row" else op.values
        values = values.expand(*whole.tail.shape[:2], -1, -1)
        return replace(whole, tail=torch.cat([whole.tail[:, :, :at], values, whole.tail[:, :, end:]], dim=2))


def attention_mask(sequence: Sequence, causal: bool, closed: Iterable[tuple[str, str]]) -> Tensor | None:
    """Who may attend to whom: bool `[L, L]`, or `[N, L, L]` where classes differ; `None` when everyone may.

    Tokens appended behind a text do not see the padding between the end of a shorter text and themselves.
    """
    closed = tuple(closed)
    length, device = sequence.length, sequence.tail.device
    if not causal and not closed:
        return None
    allowed = torch.ones(length, length, dtype=torch.bool, device=device)
    if causal:
        allowed = allowed.tril()
    every = (0, length)
    for query, key in closed:
        (row, rows), (column, columns) = every if query == "*" else sequence.groups[query], sequence.groups[key]
        allowed[row : row + rows, column : column + columns] = False
    ends = [start for start, _ in sequence.groups.values() if start > int(sequence.pool.max())] if causal else []
    if not ends:
        return allowed
    position = torch.arange(length, device=device)
    padding = (position > sequence.pool[:, None]) & (position < min(ends))
    return allowed & ~padding[:, None, :]
