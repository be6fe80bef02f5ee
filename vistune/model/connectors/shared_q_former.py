"""One Q-Former for several modalities, with queries of each: ChatBridge (arXiv 2305.16103, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import Blip2QFormerConfig, Blip2QFormerModel

from vistune.errors import InputError, nearest
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class SharedQFormer(Connector):
    """Layers and projection are shared; every modality of `kinds` has its own `queries` that read its features.

    Kinds joined by `+` share a set of queries (`image+video`). Features of all of them have one width: a linear layer in front
    brings them to it. The transformer is that of BLIP-2, without text. Without `project` (`out_width` is then `hidden`) a
    linear layer of each modality's own can stand behind it, as X-LLM's.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        kinds: Sequence[str] = ("image+video", "audio"),
        queries: int = 32,
        hidden: int = 768,
        layers: int = 12,
        heads: int = 12,
        cross_every: int = 2,
        feed_forward: int | None = None,
        project: bool = True,
    ) -> None:
        super().__init__()
        if not project and out_width != hidden:
            raise InputError(
                f"connectors.shared_q_former without project gives its hidden width, {hidden}: set out_width to it"
            )
        if hidden % heads:
            raise InputError(f"connectors.shared_q_former: {heads} heads do not divide the hidden width {hidden}")
        self.model = Blip2QFormerModel(
            Blip2QFormerConfig(
                hidden_size=hidden,
                num_hidden_layers=layers,
                num_attention_heads=heads,
                intermediate_size=feed_forward or 4 * hidden,
                cross_attention_frequency=cross_every,
                encoder_hidden_size=width,
            )
        )
        self.count = queries
        self.queries = nn.ParameterDict(
            {name.replace("+", "_"): nn.Parameter(torch.randn(queries, hidden) * 0.02) for name in kinds}
        )
        self._sets = {kind: name.replace("+", "_") for name in kinds for kind in name.split("+")}
        self.proj = nn.Linear(hidden, out_width) if project else nn.Identity()

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """One a query."""
        return self.count

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` of one modality -> `[N, queries, H]`."""
        kind = "image" if text is None else text.kind
        if kind not in self._sets:
            raise InputError(f"connectors.shared_q_former has no queries for {kind!r}{nearest(kind, list(self._sets))}")
        queries = self.queries[self._sets[kind]].expand(len(features.x), -1, -1)
        tokens: Tensor = self.proj(self.model(query_embeds=queries, encoder_hidden_states=features.x).last_hidden_state)
        return tokens
