"""A transformer whose queries read the picture, and the instruction where asked: the Q-Former of BLIP-2 and InstructBLIP."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import (
    AutoTokenizer,
    Blip2QFormerConfig,
    Blip2QFormerModel,
    InstructBlipQFormerConfig,
    InstructBlipQFormerModel,
)

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid
from vistune.model.weights.assets import locate

_WORDS = 512  # tokens of a question, as BERT's positions reach


class QFormer(Connector):
    """`queries` that attend to each other in every layer and to the picture in every `cross_every`-th (arXiv 2301.12597).

    With a `tokenizer` (a directory or hub id) the words of the question take part in self-attention, so that queries look for
    what is asked (InstructBLIP, arXiv 2305.06500, section 2.3). Features enter through a norm, as BLIP-2's do. The transformer
    is that of `transformers`: `hidden` wide, `layers` deep. `norm_eps` is 1e-6 in its BLIP-2 directories, 1e-5 in LAVIS and
    what is built on it (MiniGPT-4, BLIVA, InternLM-XComposer). Where a Q-Former reads what another gave (Video-LLaMA), the one
    goes without `project` (its `out_width` is then `hidden`), the other without `norm`. `extra` queries stand behind the others
    under a name of their own, `connector.extra`: VideoChat's, which learn while the rest is frozen.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        queries: int = 32,
        hidden: int = 768,
        layers: int = 12,
        heads: int = 12,
        cross_every: int = 2,
        tokenizer: str | None = None,
        feed_forward: int | None = None,
        norm_eps: float = 1e-6,
        norm: bool = True,
        project: bool = True,
        extra: int = 0,
    ) -> None:
        super().__init__()
        if hidden % heads:
            raise InputError(f"connectors.q_former: {heads} heads do not divide the hidden width {hidden}")
        if not project and out_width != hidden:
            raise InputError(f"connectors.q_former without project gives its hidden width, {hidden}: set out_width to it")
        sizes = {
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "intermediate_size": feed_forward or 4 * hidden,
            "cross_attention_frequency": cross_every,
            "encoder_hidden_size": width,
        }
        self.tokenizer = (
            None if tokenizer is None else AutoTokenizer.from_pretrained(locate(tokenizer), trust_remote_code=False)
        )
        self.reads_text = self.tokenizer is not None
        if self.tokenizer is not None and self.tokenizer.pad_token_id is None:
            raise InputError(f"connectors.q_former.tokenizer: {tokenizer} has no padding token")
        self.model: nn.Module
        if self.tokenizer is None:
            self.model = Blip2QFormerModel(Blip2QFormerConfig(**sizes))
        else:
            self.model = InstructBlipQFormerModel(
                InstructBlipQFormerConfig(vocab_size=len(self.tokenizer), max_position_embeddings=_WORDS, **sizes)
            )
        self.norm = nn.LayerNorm(width, eps=norm_eps) if norm else nn.Identity()
        self.queries = nn.Parameter(torch.randn(queries, hidden) * 0.02)
        self.extra = nn.Parameter(torch.randn(extra, hidden) * 0.02) if extra else None
        self.proj = nn.Linear(hidden, out_width) if project else nn.Identity()

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """One a query."""
        return len(self._all_queries())

    def _all_queries(self) -> Tensor:
        return self.queries if self.extra is None else torch.cat([self.queries, self.extra])

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]`, and N questions where they are read -> `[N, queries, H]`."""
        asked = {} if self.tokenizer is None else self._words(text, features.x.device)
        tokens: Tensor = self.proj(self.read(self._all_queries().expand(len(features.x), -1, -1), features.x, **asked))
        return tokens

    def read(self, queries: Tensor, x: Tensor, **asked: Tensor) -> Tensor:
        """`queries [N, K, hidden]`, given by the caller, after they read features `[N, L, D]`."""
        seen = self.model(query_embeds=queries, encoder_hidden_states=self.norm(x), **asked)
        # With words in the self-attention their states come back behind those of the queries, and are dropped.
        read: Tensor = seen.last_hidden_state[:, : queries.shape[1]]
        return read

    def _words(self, text: TextContext | None, device: torch.device) -> dict[str, Tensor]:
        """Token ids of the questions, and a mask over queries and tokens."""
        if text is None or self.tokenizer is None:
            raise InputError("connectors.q_former with a tokenizer reads the question, but was given none")
        # On the right, whatever the tokenizer is set to: BERT's positions count from the first word.
        encoded = self.tokenizer(list(text.texts), padding=True, padding_side="right", return_tensors="pt").to(device)
        length = encoded["input_ids"].shape[1]
        if length > _WORDS:
            longest = max(text.texts, key=len)
            raise InputError(f"the question {longest[:60]!r}... has {length} tokens, but the Q-Former reads {_WORDS} at most")
        queries = torch.ones((len(text.texts), len(self._all_queries())), dtype=torch.long, device=device)
        return {
            "input_ids": encoded["input_ids"].long(),
            "attention_mask": torch.cat([queries, encoded["attention_mask"]], dim=1),
        }
