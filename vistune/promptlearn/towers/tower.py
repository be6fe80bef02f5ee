"""A tower's blocks under edits: head and tail side by side, only the rows that are read in the last block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vistune.promptlearn.backbone import Tower
from vistune.promptlearn.edits import Attention, Edits, LowRank, Norms
from vistune.promptlearn.towers.sequence import Sequence, attention_mask


@dataclass(frozen=True, slots=True)
class Block:
    """One block with its edits resolved."""

    layer: Any
    heads: int
    attention: Attention
    norms: Norms | None
    side: Callable[[Tensor], Tensor] | None

    def first_norm(self, x: Tensor) -> Tensor:
        """The norm before attention."""
        return _norm(self.layer.layer_norm1, x, self.norms.first if self.norms else None)

    def second_norm(self, x: Tensor) -> Tensor:
        """The norm before the MLP."""
        return _norm(self.layer.layer_norm2, x, self.norms.second if self.norms else None)

    def project(self, name: str, x: Tensor) -> Tensor:
        """Projection `q`, `k`, `v` or `o`, with its low-rank update."""
        linear = self.layer.self_attn.out_proj if name == "o" else self.layer.self_attn.get_submodule(f"{name}_proj")
        return low_rank(linear(x), x, self.attention.low_rank.get(name))

    def split_heads(self, x: Tensor) -> Tensor:
        """`[.., L, width]` to `[.., heads, L, width / heads]`."""
        return x.view(*x.shape[:-1], self.heads, -1).transpose(-2, -3)

    def keys_values(self, normed: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values `[.., heads, L, d]`."""
        return self.split_heads(self.project("k", normed)), self.split_heads(self.project("v", normed))

    def finish(self, x: Tensor, normed: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """Attention of the rows `x` (with `normed`, their first norm) over keys and values, then MLP and side branch."""
        query = self.split_heads(self.project("q", normed))
        attended = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask)
        x = x + self.project("o", attended.transpose(-2, -3).flatten(-2))
        out: Tensor = x + self.layer.mlp(self.second_norm(x))
        return out if self.side is None else out + self.side(normed)


def low_rank(y: Tensor, x: Tensor, update: LowRank | None) -> Tensor:
    """`y`, the projection of `x`, with a low-rank update added."""
    if update is None:
        return y
    x = x if update.dropout is None else update.dropout(x)
    return y + F.linear(F.linear(x, update.down), update.up) * update.scale


def _norm(module: Any, x: Tensor, learnt: tuple[Tensor, Tensor] | None) -> Tensor:
    weight, bias = learnt if learnt else (module.weight, module.bias)
    return F.layer_norm(x, module.normalized_shape, weight, bias, module.eps)


def resolve(tower: Tower, index: int, edits: Edits) -> Block:
    """Block `index` of a tower with what the edits say about it."""
    site = (tower.name, index)
    return Block(
        tower.blocks[index],
        tower.heads,
        edits.attention.get(site, Attention()),
        edits.norms.get(site),
        edits.side.get(site),
    )


def run(tower: Tower, state: Sequence, edits: Edits, start: int = 0, stop: int | None = None) -> Sequence:
    """Every position through blocks `start .. stop`, each after its token edits."""
    for index in range(start, len(tower.blocks) if stop is None else stop):
        state = entering(tower, index, state, edits)
        state = step(resolve(tower, index, edits), state, tower.causal)
    return state


def entering(tower: Tower, index: int, state: Sequence, edits: Edits) -> Sequence:
    """The state as it enters block `index`, after the edits of its tokens."""
    for op in edits.tokens.get((tower.name, index), ()):
        state = state.put(op)
    inject = edits.inject.get((tower.name, index))
    if inject is None:
        return state
    state = state.joined()
    rows, classes = state.tail.shape[:2]
    added = inject(state.tail.flatten(0, 1), state.groups).view(rows, classes, *state.tail.shape[2:])
    return replace(state, tail=state.tail + added)


def step(block: Block, state: Sequence, causal: bool, rows: Tensor | None = None) -> Sequence:
    """One block over a sequence.

    With `rows [N or 1, R]` (positions) only those come out, as a tail of length R; the head then gives its keys and
    values alone. The last block needs no more than the rows that are read.
    """
    mask = _masks(block, state, causal)
    if block.attention.bias is not None and mask is not None and mask.ndim == 3:
        state = state.joined()
    split, (groups, classes, _, _) = state.split, state.tail.shape
    tail_normed = block.first_norm(state.tail)
    keys, values = block.keys_values(tail_normed)
    head = state.head
    if split:
        head_normed = block.first_norm(head)
        head_keys, head_values = block.keys_values(head_normed)
        if rows is None:
            head = block.finish(head, head_normed, head_keys, head_values, _head_mask(mask, split))
        # The head is the beginning that all classes share, computed once; `expand` lends it to each class without a copy.
        keys = torch.cat([head_keys[:, None].expand(-1, classes, -1, -1, -1), keys], dim=-2)
        values = torch.cat([head_values[:, None].expand(-1, classes, -1, -1, -1), values], dim=-2)
    mask = None if mask is None else mask[..., split:, :]
    tail = state.tail
    if rows is not None:
        # Positions count from the start of the whole sequence, the tail from where the head ends.
        picked = (rows - split).expand(classes, -1)
        index = picked[None, :, :, None].expand(groups, -1, -1, 1)
        tail, tail_normed = torch.take_along_dim(tail, index, 2), torch.take_along_dim(tail_normed, index, 2)
        if mask is not None:
            mask = torch.take_along_dim(mask.expand(classes, -1, -1), picked[:, :, None], 1)
    if mask is not None and mask.ndim == 3:
        mask = mask[None, :, None]  # [1, N, 1 head, rows, keys]
    return replace(state, head=head, tail=block.finish(tail, tail_normed, keys, values, mask))


def _head_mask(mask: Tensor | None, split: int) -> Tensor | None:
    """The head's part of a mask; it ends before any class's text does, so it is the same for all classes."""
    if mask is None:
        return None
    return (mask[0] if mask.ndim == 3 else mask)[:split, :split]


def _masks(block: Block, state: Sequence, causal: bool) -> Tensor | None:
    """The block's mask over all positions: bool, or float where a bias is added."""
    mask = attention_mask(state, causal, block.attention.closed)
    if block.attention.bias is None:
        return mask
    bias = block.attention.bias(state.groups, state.length)
    return bias if mask is None else bias.masked_fill(~mask, float("-inf"))


@dataclass(frozen=True, slots=True)
class ReadOut:
    """States of the last block: `pooled [G, N, width]`, `groups` `[G, N, K, width]`, `class_attention [G, N, L]`."""

    pooled: Tensor
    groups: dict[str, Tensor]
    class_attention: Tensor | None


def finish(tower: Tower, state: Sequence, edits: Edits, start: int, *, read: tuple[str, ...], only_rows: bool) -> ReadOut:
    """Blocks `start ..` to the end, then the pooled row and the groups to read.

    With `only_rows` the last block computes no other row. `start` past the last block reads an already finished state.
    """
    last = len(tower.blocks) - 1
    if start <= last:
        state = run(tower, state, edits, start, last)
        state = entering(tower, last, state, edits)
    spans = [state.groups[name] for name in read]
    places = [torch.arange(at, at + length, device=state.pool.device) for at, length in spans]
    rows = torch.cat([state.pool[:, None], *(place.expand(len(state.pool), -1) for place in places)], dim=1)
    # A row inside the shared head can only be read where the head is part of every class's sequence again.
    if int(rows.min()) < state.split:
        state = state.joined()
    looks = None
    if start <= last:
        block = resolve(tower, last, edits)
        looks = class_attention(block, state) if edits.read_class_attention and tower.name == "vision" else None
        state = step(block, state, tower.causal, rows if only_rows else None)
    if only_rows and start <= last:
        picked = state.tail
    else:
        index = (rows - state.split).expand(state.tail.shape[1], -1)
        picked = torch.take_along_dim(state.tail, index[None, :, :, None], 2)
    parts = torch.split(picked, [1, *(length for _, length in spans)], dim=2)
    return ReadOut(parts[0][:, :, 0], dict(zip(read, parts[1:], strict=True)), looks)


def class_attention(block: Block, state: Sequence) -> Tensor:
    """How the first token attends to every position `[G, N, L]`, the mean over heads."""
    normed = block.first_norm(state.tail)
    query = block.split_heads(block.project("q", normed[:, :, :1]))
    keys = block.split_heads(block.project("k", normed))
    scores = query @ keys.transpose(-1, -2) / keys.shape[-1] ** 0.5
    looks: Tensor = scores.softmax(-1).mean(-3)[:, :, 0]
    return looks
