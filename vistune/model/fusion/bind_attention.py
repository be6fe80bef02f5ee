"""Any modalities of a joint space as one gated prompt: the fusion of ImageBind-LLM (arXiv 2309.03905, section 3.2).

    media of a sample -> their weighted mean -> bind network -> one vector v
    every chosen layer     o_t <- softmax(q_t K / sqrt d) V + tanh(g) * W_v (v + row)        gates g a head, 0 at first

As the prompt is one row, the softmax over it is 1 and only its values count. LoRA in the value
projections acts on them, too; the published code keeps it from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.fusion.base import Tokens
from vistune.model.fusion.zero_init_attention import ZeroInitAttention
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slots

_EPS = 1e-6  # beside the sum of the weights, as in the published code


class BindAttention(ZeroInitAttention):
    """Behind connectors that give one token a medium (`unit_linear`), `depth` blocks, `expansion` times as wide inside.

    A token is led by the mean of all media of its sample, weighted by `weights` of their kinds (1 where none is given); in a
    sample without any, by the learned rows alone. Media take no place in the sequence. `layers` and `tune` are those of
    `zero_init_attention`; None are all layers.
    """

    def __init__(
        self,
        depth: int = 3,
        expansion: int = 4,
        layers: int | None = None,
        weights: Mapping[str, float] | None = None,
        tune: Literal["none", "bias", "scale_and_bias"] = "none",
    ) -> None:
        super().__init__(1, layers, tune)
        if any(weight <= 0 for weight in (weights or {}).values()):
            raise InputError(f"fusion.bind_attention.weights are {dict(weights or {})}, expected numbers above 0")
        self.weights, self.inner, self.expansion = dict(weights or {}), depth, expansion

    def install(self, language_model: LanguageModel) -> None:
        """The bind network, rows and gates."""
        if self.depth is None:
            self.depth = len(language_model.blocks)
        super().install(language_model)
        self.network = nn.Sequential(*(BindBlock(language_model.width, self.expansion) for _ in range(self.inner)))

    def prepare(self, text: Inputs, tokens: Tokens, slots: Slots) -> Inputs:
        """One prompt a sample with media as context; behind them zeros, seen by samples without."""
        device = text.embeds.device
        means, owners = self._means(tokens, slots, text.lengths)
        context = text.embeds.new_zeros((1, 1, text.embeds.shape[1]))
        if means:
            # The zeros stand behind the media, so the number of the last entry is the number of samples with media.
            context = torch.cat([self.network(torch.stack(means))[:, None].to(context), context])
        else:  # nobody looks at it, but ranks with media must not wait for this one's gradients
            context = context + 0 * self.network(context[0])[None]
        prompt = [owners.index(sample) if sample in owners else len(owners) for sample in range(len(text.lengths))]
        first = torch.tensor(prompt, device=device).repeat_interleave(torch.tensor(text.lengths, device=device))
        return replace(text, context=context, sees=torch.stack([first, first + 1], dim=1))

    def _means(self, tokens: Tokens, slots: Slots, lengths: Sequence[int]) -> tuple[list[Tensor], list[int]]:
        """The weighted mean of the media of each sample that shows any, and the numbers of these samples."""
        ends = torch.tensor(lengths).cumsum(0)
        shown: dict[int, list[tuple[float, Tensor]]] = {}
        for kind, media in tokens.items():
            for slot in slots.get(kind, []):
                if len(media[slot.which]) != 1:
                    raise InputError(
                        f"fusion.bind_attention needs one token a medium, but {kind} media have {len(media[slot.which])}: "
                        "let the encoder give its pooled vector"
                    )
                # Media take no places, so a slot of length zero may stand at the very end of a sample; `right=True` gives it
                # to the sample whose end lies behind it.
                sample = int(torch.searchsorted(ends, slot.start, right=True))
                shown.setdefault(sample, []).append((self.weights.get(kind, 1.0), media[slot.which][0]))
        owners = sorted(shown)
        sums = [sum(weight for weight, _ in shown[sample]) + _EPS for sample in owners]
        return [
            torch.stack([weight * vector for weight, vector in shown[sample]]).sum(dim=0) / total
            for sample, total in zip(owners, sums, strict=True)
        ], owners


class BindBlock(nn.Module):
    """`x + W_2 (silu(W_1 n) * W_3 n)`, n = RMS norm of x, without biases."""

    def __init__(self, width: int, expansion: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(width, eps=1e-6)
        self.gate = nn.Linear(width, expansion * width, bias=False)
        self.up = nn.Linear(width, expansion * width, bias=False)
        self.down = nn.Linear(expansion * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`[..., H]` -> `[..., H]`."""
        normed = self.norm(x)
        added: Tensor = self.down(F.silu(self.gate(normed)) * self.up(normed))
        return x + added
