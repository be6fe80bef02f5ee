"""A picture as a few words of a code book, and back to an image embedding: the tokenizer of SEED (arXiv 2310.01218)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from transformers import Blip2QFormerConfig, Blip2QFormerModel

from vistune.model.heads._vector_quantizer import Quantised, VectorQuantizer
from vistune.model.transformer_block import TransformerBlock


class QueryTransformer(nn.Module):
    """Learned `queries` that read features: BLIP-2's Q-Former. With `causal`, a query attends to itself and those before it."""

    def __init__(
        self, width: int, queries: int, hidden: int, layers: int, heads: int, cross_every: int, intermediate: int, causal: bool
    ) -> None:
        super().__init__()
        config = Blip2QFormerConfig(
            hidden_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=intermediate,
            cross_attention_frequency=cross_every,
            encoder_hidden_size=width,
        )
        self.causal = causal
        self.queries = nn.Parameter(torch.randn(queries, hidden) * 0.02)
        self.model = Blip2QFormerModel(config)

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """`x [N, L, width]`, of which tokens with `visible [N, L]` are read -> `[N, queries, hidden]`."""
        count = len(self.queries)
        # Causal, so that a language model can write the codes from left to right: each tells what those before it left open.
        allowed = torch.ones(count, count, dtype=torch.bool, device=x.device).tril()[None, None] if self.causal else None
        seen = self.model(
            query_embeds=self.queries.expand(len(x), -1, -1),
            attention_mask=allowed,
            encoder_hidden_states=x,
            encoder_attention_mask=visible,
        )
        return torch.as_tensor(seen.last_hidden_state)


class VisualTokenizer(nn.Module):
    """Features -> causal queries -> codes; codes -> blocks -> the embedding that an image generator is conditioned on.

    `back` chooses the way back: `mlp` narrows each token through `narrow` and joins all (the released models), `reverse` lets
    one query read them (the paper). `image_width` is the width of the image embedding; `expansion` widens the blocks' networks.
    """

    def __init__(
        self,
        width: int,
        image_width: int = 1024,
        codes: int = 8192,
        code_width: int = 32,
        queries: int = 32,
        hidden: int = 768,
        layers: int = 12,
        heads: int = 12,
        cross_every: int = 2,
        intermediate: int | None = None,
        depth: int = 4,
        expansion: float = 4.0,
        back: Literal["mlp", "reverse"] = "mlp",
        narrow: Sequence[int] = (256, 128, 32),
    ) -> None:
        super().__init__()
        inside = intermediate or 4 * hidden
        self.norm = nn.LayerNorm(width)
        self.q_former = QueryTransformer(width, queries, hidden, layers, heads, cross_every, inside, causal=True)
        self.encode = nn.Sequential(nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, code_width))
        self.quantizer = VectorQuantizer(codes, code_width)
        self.decode = nn.Sequential(nn.Linear(code_width, code_width), nn.Tanh(), nn.Linear(code_width, hidden))
        self.positions = nn.Parameter(torch.zeros(queries, hidden))
        self.blocks = nn.Sequential(*(TransformerBlock(hidden, heads, expansion, eps=1e-6) for _ in range(depth)))
        self.back = back
        if back == "reverse":
            self.reverse = QueryTransformer(hidden, 1, hidden, layers, heads, cross_every, inside, causal=False)
            self.image = nn.Linear(hidden, image_width)
        else:
            sizes = [hidden, *narrow]
            steps = [nn.Linear(wide, thin, bias=False) for wide, thin in pairwise(sizes)]
            self.narrow = nn.Sequential(*(part for step in steps for part in (step, nn.ReLU())))[:-1]
            self.image = nn.Linear(queries * narrow[-1], image_width)

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Quantised:
        """Features `[N, L, width]` -> codes of each picture, `ids [N, queries]`."""
        quantised: Quantised = self.quantizer(self.encode(self.q_former(self.norm(x), visible)))
        return quantised

    def embed(self, codes: Tensor) -> Tensor:
        """Codes `[N, queries, code_width]` -> the image embedding `[N, image_width]`."""
        x = self.blocks(self.decode(codes) + self.positions)
        if self.back == "reverse":
            return torch.as_tensor(self.image(self.reverse(x)[:, 0]))
        return torch.as_tensor(self.image(self.narrow(x).flatten(1)))

    def embed_ids(self, ids: Tensor) -> Tensor:
        """Ids `[N, queries]` -> the image embedding `[N, image_width]`."""
        return self.embed(self.quantizer.codes(ids))
