"""Adapters routed by what a sample is, text alone or text about media: LaVIN (arXiv 2305.15023, sections 3.2 and 3.3).

    m_0: "text alone"    reads itself, layer by layer  ->  weights of each layer's adapter for samples without media
    m_1: "with media"    likewise                      ->  weights for samples with media

LaVIN puts m in front of every sample and lets no other token see it, so that it acts through these weights alone. Here both
vectors are read once a step, before the samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from vistune.model.adapters.routed import RoutedAdapter
from vistune.model.fusion._attend import borders
from vistune.model.fusion.base import Fusion, Tokens, placed
from vistune.model.fusion.splice import splice
from vistune.model.language.causal import LanguageModel
from vistune.model.language.hooks import Run
from vistune.model.language.inputs import Inputs
from vistune.model.modalities.base import Seen
from vistune.prompt.render import Slots


class RoutedAdapters(Fusion):
    """Media are spliced in; behind `module` of every layer, the norm in front of attention, stands a routed adapter.

    `hidden`, `groups`, `scale`, `temperature` and `dropout` are the adapters' (`model.adapters.routed`).
    """

    repeats = True

    def __init__(
        self,
        hidden: int = 8,
        groups: int = 2,
        scale: float = 1.0,
        temperature: float = 10.0,
        dropout: float = 0.1,
        module: str = "input_layernorm",
    ) -> None:
        super().__init__()
        self.sizes = {"hidden": hidden, "groups": groups, "scale": scale, "temperature": temperature, "dropout": dropout}
        self.module = module
        self._noted: list[Tensor] | None = None

    def install(self, language_model: LanguageModel) -> None:
        """An adapter a layer, and the two vectors."""
        # Row 0 stands for text alone, row 1 for a sample with a picture.
        self.modality = nn.Parameter(torch.randn(2, language_model.width))
        width, layers = language_model.hidden_width, range(len(language_model.blocks))
        self.adapters = nn.ModuleList(RoutedAdapter(width, **self.sizes) for _ in layers)  # type: ignore[arg-type]
        for layer in layers:
            language_model.hooks.route(layer, self.module, partial(self._route, layer))

    def prepare(self, text: Inputs, tokens: Tokens, slots: Slots) -> Inputs:
        """Media in place; each token sees the weights of its sample's kind."""
        where, _ = placed(tokens, slots)
        first, end = borders(where, text.lengths, text.embeds.device)
        # A sample whose span of media is not empty is of the second kind.
        kind = (end > first).long()
        return replace(splice(text, tokens, slots), sees=torch.stack([kind, kind + 1], dim=1))

    def settle(self, language_model: LanguageModel, inputs: Inputs, tokens: Tokens, slots: Slots, seen: Seen) -> Inputs:
        """Read both vectors, each a sample of one token; their weights `[2, layers, 2]` are the context of the row.

        A checkpointed layer that is computed again must tell this row from the samples': a third token makes it longer where
        they are two.
        """
        vectors = self.modality.to(inputs.embeds.dtype)
        vectors = torch.cat([vectors, vectors[:1]]) if len(inputs.embeds) == 2 else vectors
        noted = self._noted = []
        language_model(Inputs(vectors, inputs.positions.new_zeros(len(vectors)), (1,) * len(vectors)))
        self._noted = None
        return replace(inputs, context=torch.stack(noted, dim=1)[:2])

    def _route(self, layer: int, base: Callable[[Tensor], Tensor], x: Tensor, run: Run) -> Tensor:
        """The hook: the norm, then the adapter. Tokens of the two vectors' own row route themselves."""
        normed = base(x)
        adapter = self.adapters[layer]
        assert isinstance(adapter, RoutedAdapter)
        # The first pass, over the two vectors, has no context yet; one new token (generation) or the whole row has.
        if run.context is None or run.sees is None or normed.shape[1] not in (1, run.sees.shape[1]):
            weights = adapter.weigh(normed)
            if self._noted is not None:
                self._noted.append(weights[0])
        else:
            chosen = run.visible(*normed.shape[:2]).to(normed.dtype)
            weights = chosen @ run.context[:, layer].to(normed.dtype)
        adapted: Tensor = adapter(normed, weights)
        return adapted
