"""Gated layers between the language model's that look at the picture: Flamingo (arXiv 2204.14198).

h <- h + tanh(a) * cross-attention(norm(h), picture)          a and b are 0 at first, and the model the one it was
h <- h + tanh(b) * network(h)
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from vistune.model.connectors.perceiver_resampler import feed_forward
from vistune.model.fusion._attend import attend, borders, stack
from vistune.model.fusion.base import Added, Fusion, Product, Tokens, placed
from vistune.model.language.causal import LanguageModel
from vistune.model.language.hooks import Pair, Run
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slots


class GatedCrossAttention(Fusion):
    """A gated block in front of every `every`-th decoder layer. In the sequence a medium takes one place, a learned marker.

    A token sees the `latest` medium shown before it, as Flamingo's do, or all `previous` ones; before the first, none. With
    `next` it sees the medium shown behind it, and behind the last none, while a marker sees its own: so the released
    MultiModal-GPT is set (arXiv 2305.04790).
    """

    def __init__(
        self,
        every: int = 4,
        heads: int = 8,
        head_width: int = 64,
        expansion: int = 4,
        sees: Literal["latest", "previous", "next"] = "latest",
    ) -> None:
        super().__init__()
        self.every, self.sees = every, sees
        self.sizes = {"heads": heads, "head_width": head_width, "expansion": expansion}
        self.blocks = nn.ModuleDict()

    def install(self, language_model: LanguageModel) -> None:
        """Blocks in front of layers `every - 1`, `2 every - 1`, ...; the marker starts as the mean embedding."""
        rows = language_model.embeddings
        self.marker = nn.Parameter(rows.detach().mean(dim=0))
        for layer in range(self.every - 1, len(language_model.blocks), self.every):
            block = GatedBlock(language_model.hidden_width, language_model.width, **self.sizes)
            self.blocks[str(layer)] = block
            language_model.hooks.pre_layer(layer, partial(self._before, block, layer))

    def places(self, count: int) -> int:
        """One, for the marker."""
        return 1

    def prepare(self, text: Inputs, tokens: Tokens, slots: Slots) -> Inputs:
        """Markers in place; the media as context, each seen by the tokens from its marker on."""
        (where, media), device = placed(tokens, slots), text.embeds.device
        if not where:
            context = text.embeds.new_zeros((1, 1, text.embeds.shape[1]))
            return replace(text, context=context, sees=torch.zeros((len(text.embeds), 2), dtype=torch.long, device=device))
        starts = torch.tensor([slot.start for slot in where], device=device)
        # How many markers stand at or before each token: the number behind the latest one it may see.
        begun = torch.searchsorted(starts, torch.arange(len(text.embeds), device=device), right=True)
        before, until = borders(where, text.lengths, device)
        # Never before the own sample's first medium: the row is packed, and a neighbour's picture must not be seen.
        first = before if self.sees == "previous" else torch.maximum(before, begun - 1)
        marker = self.marker.to(text.embeds.dtype).expand(len(where), -1)
        embeds = text.embeds.index_put((starts,), marker)
        context = stack(media, "gated_cross_attention")
        sees = torch.stack([first, begun], dim=1)
        if self.sees == "next":
            coming = torch.stack([begun, torch.minimum(begun + 1, until)], dim=1)
            # In MultiModal-GPT a marker looks at its own picture, though the text before it already looks ahead at it.
            sees = coming.index_put((starts,), sees[starts])
        return replace(text, embeds=embeds, context=context, sees=sees)

    def added(self) -> list[Added]:
        """A block each, in front of its layer."""
        found = []
        for layer, block in self.blocks.items():
            assert isinstance(block, GatedBlock)
            linear = [module for module in block.modules() if isinstance(module, nn.Linear)]
            products = [
                Product(module, "context" if module is block.key_and_value else "tokens", module is block.query)
                for module in linear
            ]
            found.append(Added(tuple(products), int(layer), block.query.out_features))
        return found

    def begins_gradient(self, media: bool) -> bool:
        """Only to the marker: media come in at the blocks."""
        return self.marker.requires_grad

    @staticmethod
    def _before(block: GatedBlock, layer: int, hidden: Tensor, run: Run) -> Tensor:
        """The hook: the block on the hidden states of this pass."""
        assert run.context is not None
        key_value = run.keep("gated_cross_attention", layer, partial(block.key_value, run.context))
        changed: Tensor = block(hidden, key_value, run.visible(*hidden.shape[:2]))
        return changed


class GatedBlock(nn.Module):
    """Cross-attention and a feed-forward network, each behind a gate. `width` of the text, `context_width` of what is seen."""

    def __init__(self, width: int, context_width: int, heads: int, head_width: int, expansion: int) -> None:
        super().__init__()
        inner = heads * head_width
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, inner, bias=False)
        self.key_and_value = nn.Linear(context_width, 2 * inner, bias=False)
        self.out = nn.Linear(inner, width, bias=False)
        self.network = feed_forward(width, expansion)
        # tanh(0) is 0: a new block leaves the language model as it was to the bit, and training opens the gate.
        self.attention_gate = nn.Parameter(torch.zeros(1))
        self.network_gate = nn.Parameter(torch.zeros(1))

    def key_value(self, context: Tensor) -> Pair:
        """`[M, K, C]` -> keys and values `[M, heads, K, head width]`."""
        key, value = self.key_and_value(context).unflatten(-1, (2, self.heads, -1)).transpose(1, 3).unbind(2)
        return key, value

    def forward(self, hidden: Tensor, key_value: Pair, visible: Tensor) -> Tensor:
        """`hidden [B, T, H]`, of each of M things its keys and values, `visible [B, T, M]` -> `[B, T, H]`."""
        hidden = hidden + self.attention_gate.tanh() * self.attend(hidden, key_value, visible)
        added: Tensor = self.network_gate.tanh() * self.network(hidden)
        return hidden + added

    def attend(self, hidden: Tensor, key_value: Pair, visible: Tensor) -> Tensor:
        """The cross-attention alone."""
        query = self.query(self.norm(hidden)).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        seen: Tensor = self.out(attend(query, *key_value, visible).transpose(1, 2).flatten(2))
        return seen
