"""Prefix tuning (arXiv 2101.00190) and prompt tuning (arXiv 2104.08691) in packed rows, learned by the modules of `peft`.

`peft`'s own wrapper puts prompts in front of a padded batch of token ids. Here they enter where rows are packed:

    prompt      P P a a a P P b b          virtual tokens `[P, H]` in front of every sample; their states are dropped again
    prefix      keys, values  P P          of every layer, which all tokens see, none rotated; samples' positions start at P
                              a a a b b

Both give what `peft` gives for each sample alone.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import peft
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.model.language.hooks import Hooks, Pair, Run
from vistune.model.language.inputs import Inputs


class SoftPrompt(nn.Module):
    """What stands in front of every sample."""

    @abstractmethod
    def enter(self, inputs: Inputs) -> Inputs:
        """The row that the layers read."""

    def leave(self, hidden: Tensor, lengths: tuple[int, ...]) -> Tensor:
        """States of that row -> states `[T, H]` of the samples of these lengths."""
        return hidden


class Prefix(SoftPrompt):
    """Keys and values of `config.num_virtual_tokens` places in every layer, as `peft.PrefixEncoder` holds them."""

    def __init__(self, config: peft.PrefixTuningConfig, hooks: Hooks) -> None:
        super().__init__()
        self.length, self.heads = int(config.num_virtual_tokens), int(config.num_attention_heads)
        self.width = 2 * int(config.token_dim)
        self.encoder = peft.PrefixEncoder(config)
        for layer in range(len(hooks.blocks)):
            hooks.kv_concat(layer, partial(self.pair, layer))

    def pair(self, layer: int, run: Run) -> Pair:
        """The layer's keys and values, `[1, heads, P, d]` each; of `peft`'s projection that layer's part alone is computed."""
        rows, own = self.encoder.embedding.weight, slice(layer * self.width, (layer + 1) * self.width)
        if self.encoder.prefix_projection:
            # Slicing the last layer gives one layer's share; the whole product would make keys and values of all layers in
            # each of them.
            first, bend, last = self.encoder.transform
            rows = F.linear(bend(first(rows)), last.weight[own], last.bias[own])
        else:
            rows = rows[:, own]
        # `peft` stores keys before values, each head by head, as one row a place.
        keys, values = rows.view(self.length, 2, self.heads, -1).permute(1, 2, 0, 3).unbind()
        return keys[None], values[None]

    def enter(self, inputs: Inputs) -> Inputs:
        """Positions begin behind the prefix."""
        return replace(inputs, positions=inputs.positions + self.length)


class VirtualTokens(SoftPrompt):
    """`config.num_virtual_tokens` rows of `peft.PromptEmbedding`, those of `words` (repeated, cut) at first."""

    def __init__(self, config: peft.PromptTuningConfig, table: nn.Embedding, words: Sequence[int] | None) -> None:
        super().__init__()
        self.length = int(config.num_virtual_tokens)
        self.encoder = peft.PromptEmbedding(config, table)
        if words is not None:
            ids = torch.tensor([words[place % len(words)] for place in range(self.length)])
            # A copy in fp32: the prompt is trained, the table is not, and may be bf16.
            self.encoder.embedding.weight.data = table.weight.detach()[ids].float()

    def enter(self, inputs: Inputs) -> Inputs:
        """Every sample grows by the virtual tokens."""
        own = self.encoder.embedding.weight.to(inputs.embeds.dtype)
        lengths = tuple(length + self.length for length in inputs.lengths)
        begin = torch.arange(self.length, device=inputs.positions.device)

        def put(row: Tensor, front: Tensor) -> Tensor:
            return torch.cat([part for sample in row.split(inputs.lengths) for part in (front, sample)])

        def blank(row: Tensor | None) -> Tensor | None:
            return None if row is None else put(row, row.new_zeros((self.length, *row.shape[1:])))

        positions = put(inputs.positions + self.length, begin)
        # Zeros in front: virtual tokens are text, see nothing beside the row, and are not answers.
        more: dict[str, Any] = {name: blank(getattr(inputs, name)) for name in ("modality", "sees", "answers")}
        more["branches"] = tuple(tuple((start + self.length, count) for start, count in each) for each in inputs.branches)
        return replace(inputs, embeds=put(inputs.embeds, own), positions=positions, lengths=lengths, **more)

    def leave(self, hidden: Tensor, lengths: tuple[int, ...]) -> Tensor:
        """Drop the virtual tokens' states."""
        samples = hidden.split([length + self.length for length in lengths])
        return torch.cat([sample[self.length :] for sample in samples])
