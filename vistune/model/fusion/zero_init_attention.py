"""Prompts that the last layers attend to behind a gate: LLaMA-Adapter and its V2 (arXiv 2303.16199, 2304.15010).

    o_t <- softmax(q_t K / sqrt d) V + tanh(g) * softmax(q_t K_p / sqrt d) V_p         one gate g a head, 0 at first

K_p and V_p are the layer's own keys and values of its prompt, unrotated; the prompt is learned rows plus the picture's tokens.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.adapters.scale_and_bias import tune_scale_and_bias
from vistune.model.fusion._attend import attend, borders, stack
from vistune.model.fusion.base import Fusion, Tokens, placed
from vistune.model.language.causal import LanguageModel
from vistune.model.language.hooks import AttentionCall
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slots


class ZeroInitAttention(Fusion):
    """Prompts of `length` rows in the last `layers` decoder layers (None: in all but the first).

    The connector gives `length` tokens a medium, added to every layer's rows. A token sees the media of its whole sample; in a
    sample without any, the rows alone. Media take no place in the sequence. With `tune` every linear layer of the language
    model gets a trained bias, and scale of its input (V2's bias tuning), kept here as `tuned`.
    """

    def __init__(
        self, length: int = 10, layers: int | None = None, tune: Literal["none", "bias", "scale_and_bias"] = "none"
    ) -> None:
        super().__init__()
        self.length, self.depth, self.tune = length, layers, tune

    def install(self, language_model: LanguageModel) -> None:
        """Rows and gates for the last layers."""
        blocks = len(language_model.blocks)
        depth = blocks - 1 if self.depth is None else self.depth
        if not 0 < depth <= blocks:
            raise InputError(f"fusion.zero_init_attention.layers is {depth}, but the language model has {blocks}")
        if language_model.width != language_model.hidden_width:
            raise InputError("fusion.zero_init_attention needs a language model whose layers are as wide as its embedding")
        self.rows = nn.Parameter(torch.randn(depth, self.length, language_model.width))
        # One gate a head, at zero: the first step is the language model's own, and each head opens by itself.
        self.gates = nn.Parameter(torch.zeros(depth, language_model.heads))
        for number in range(depth):
            language_model.hooks.attn_add(blocks - depth + number, partial(self._add, number))
        if self.tune != "none":
            self.tuned = tune_scale_and_bias(language_model.hooks, scale=self.tune == "scale_and_bias")

    def places(self, count: int) -> int:
        """None."""
        return 0

    def prepare(self, text: Inputs, tokens: Tokens, slots: Slots) -> Inputs:
        """The media as context, each seen by its whole sample; behind them zeros, seen by samples without media."""
        (where, media), device = placed(tokens, slots), text.embeds.device
        context = text.embeds.new_zeros((1, self.length, text.embeds.shape[1]))
        if where:
            prompts = stack(media, "zero_init_attention")
            if prompts.shape[1] != self.length:
                raise InputError(
                    f"fusion.zero_init_attention has length {self.length}, the connector gives {prompts.shape[1]} tokens"
                )
            context = torch.cat([prompts, context])
        first, end = borders(where, text.lengths, device)
        none = first == end
        # A softmax over nothing is NaN: samples without media see the entry of zeros, that is the learned rows alone.
        first, end = first.masked_fill(none, len(where)), end.masked_fill(none, len(where) + 1)
        return replace(text, context=context, sees=torch.stack([first, end], dim=1))

    def _add(self, number: int, query: Tensor, scaling: float, call: AttentionCall) -> Tensor:
        """The hook: gated attention to prompts, in the layer that is number `number` among the layers with prompts."""
        run = call.run
        assert run.context is not None
        # The picture's tokens are added to the learned rows, so a prompt is `length` long whatever is shown.
        prompts = self.rows[number] + run.context
        key, value = run.keep("zero_init_attention", number, partial(call.keys_values, prompts))
        visible = run.visible(query.shape[0], query.shape[2])
        gate = self.gates[number].tanh().view(-1, 1, 1)
        return (gate * attend(query, key, value, visible, scaling)).to(query.dtype)
