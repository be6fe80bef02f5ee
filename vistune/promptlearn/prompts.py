"""Texts as the text tower reads them: token ids, the slots of a learnt context, where each text ends."""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass

import torch
from torch import Tensor

from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.edits import Context
from vistune.promptlearn.towers.sequence import Sequence


@dataclass(frozen=True, slots=True)
class Prompts:
    """`ids [N, L]` (slot m of the context is written `-1 - m`), `pool [N]` the position the feature is read at."""

    ids: Tensor
    pool: Tensor


def tokenize(backbone: DualEncoder, texts: Many[str], *, crop: bool) -> Prompts:
    """Plain texts. With `crop` and a causal tower, columns behind the longest text are left out: nothing sees them."""
    return _assemble(backbone, [backbone.tokenizer(text) for text in texts], texts, crop)


def with_context(backbone: DualEncoder, names: Many[str], context: Context, *, crop: bool) -> Prompts:
    """Class names with a learnt context at its position. Only the name moves: what follows it stays behind the context."""
    slots = [-1 - m for m in range(context.values.shape[-2])]
    half = len(slots) // 2
    rows = []
    for i, name in enumerate(names):
        text = context.template.format(name) if context.texts is None else context.texts[i]
        if context.overwrite:
            rows.append([*slots, *backbone.tokenizer(text)[len(slots) :]])
        elif context.position == "end":
            rows.append([*slots, *continuation(backbone, text)])
        elif context.position == "front":
            words = len(backbone.tokenizer(name))
            body = backbone.tokenizer(text)
            rows.append([*body[:words], *slots, *body[words:]])
        else:
            words = len(continuation(backbone, name)) if name else 0
            body = continuation(backbone, text)
            rows.append([*slots[:half], *body[:words], *slots[half:], *body[words:]])
    if context.truncate:
        # Start and end are added afterwards and need a place each.
        room = backbone.context_length - 1 - int(backbone.start is not None)
        rows = [row[:room] for row in rows]
    return _assemble(backbone, rows, names, crop)


def continuation(backbone: DualEncoder, text: str) -> list[int]:
    """Token ids of a text that does not stand first: many tokenizers write the space before a word into its token."""
    # Behind a word that is then cut off again, so that the first token is the one that follows a blank.
    return backbone.tokenizer(f"X {text}")[len(backbone.tokenizer("X")) :]


def _assemble(backbone: DualEncoder, rows: list[list[int]], names: Many[str], crop: bool) -> Prompts:
    start = [] if backbone.start is None else [backbone.start]
    rows = [[*start, *row, backbone.end] for row in rows]
    longest = max(map(len, rows))
    if longest > backbone.context_length:
        name = names[max(range(len(rows)), key=lambda i: len(rows[i]))]
        raise InputError(
            f"class {name!r} makes a text of {longest} tokens: the text tower of {backbone.identity} "
            f"reads at most {backbone.context_length}"
        )
    # A tower that is not causal (SigLIP) sees its padding, which therefore has to stay as long as it was taught with.
    width = longest if crop and backbone.text.causal else backbone.context_length
    ids = torch.full((len(rows), width), backbone.pad, dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
    # CLIP reads its feature at the end of the text, SigLIP at the last place of the padded row.
    ends = [len(row) - 1 if backbone.text.causal else width - 1 for row in rows]
    return Prompts(ids.to(backbone.device), torch.tensor(ends, device=backbone.device))


def common_prefix(ids: Tensor, pool: Tensor, per_class: bool) -> int:
    """How many leading positions are the same in every text, short of any text's end (class-specific slots differ)."""
    same = (ids == ids[:1]).all(0)
    if per_class:
        # Slots are written as negative numbers, equal in all classes though each class has vectors of its own there.
        same &= (ids >= 0).all(0)
    length = int(same.long().cumprod(0).sum())
    # Short of the shortest text's end: the position that is read must lie in a row of its own.
    return min(length, int(pool.min()))


def embed(backbone: DualEncoder, prompts: Prompts, context: Context | None, *, share: bool) -> Sequence:
    """The text tower's input: token embeddings, context in its slots, position embedding; the common prefix as head."""
    ids, pool = prompts.ids, prompts.pool
    per_class = context is not None and context.per == "class"
    if per_class and context is not None and context.values.shape[0] != len(ids):
        raise ValueError(f"the context has {context.values.shape[0]} classes, {len(ids)} were asked for")
    split = common_prefix(ids, pool, per_class) if share and backbone.text.causal else 0
    rows = context.values.shape[0] if context is not None and context.per == "row" else 1
    positions = backbone.text_positions.weight[: ids.shape[1]]
    head = _fill(backbone, ids[:1, :split], context) + positions[:split]
    tail = _fill(backbone, ids[:, split:], context) + positions[split:]
    groups = {}
    if context is not None and context.position == "end":
        groups["slot"] = (0 if backbone.start is None else 1, context.values.shape[-2])
    return Sequence(head[:, 0].expand(rows, -1, -1), tail.expand(rows, -1, -1, -1), groups, pool)


def _fill(backbone: DualEncoder, ids: Tensor, context: Context | None) -> Tensor:
    """Embeddings `[G or 1, N, L, d]` of ids with slots."""
    embedded: Tensor = backbone.token_embedding(ids.clamp(min=0))[None]
    if context is None or not bool((ids < 0).any()):
        return embedded
    slot = (-1 - ids).clamp(min=0)
    if context.per == "class":
        filled: Tensor = torch.take_along_dim(context.values, slot[:, :, None], 1)[None]
    elif context.per == "row":
        filled = context.values[:, slot]
    else:
        filled = context.values[slot][None]
    out: Tensor = torch.where((ids < 0)[None, :, :, None], filled, embedded)
    return out
