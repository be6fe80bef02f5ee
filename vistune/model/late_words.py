"""Words of a row that a head spells once the media are on the device: the codes of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from transformers import PreTrainedTokenizerBase

from vistune.model.heads.base import Head
from vistune.model.packing import Batch
from vistune.prompt.render import IGNORE


def with_late_words(batch: Batch, heads: Mapping[str, Head], tokenizer: PreTrainedTokenizerBase) -> Batch:
    """The row with the words of all heads (by kind) that spell, in `ids` and, where they are supervised, in `labels`."""
    ids, labels = batch.ids, batch.labels
    for kind, head in heads.items():
        things = batch.things.get(kind, ())
        if not head.spells or not things:
            continue
        words = head.spell(things)
        ids, labels = ids.clone(), labels.clone()
        for slot in batch.slots[kind]:
            own = slice(slot.start, slot.start + slot.length)
            ids[own] = torch.tensor(tokenizer.convert_tokens_to_ids(words[slot.which]), device=ids.device)
            labels[own] = torch.where(labels[own] == IGNORE, labels[own], ids[own])
    return replace(batch, ids=ids, labels=labels)
