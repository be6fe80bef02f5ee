"""A text encoder behind a sound encoder: the speech interface of X-LLM (arXiv 2305.04160, section 3.1)."""

from __future__ import annotations

from torch import Tensor, nn
from transformers import BertConfig, BertModel

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid


class BertAdapter(Connector):
    """Linear, ReLU, BERT on the vectors, linear, ReLU. BERT is `hidden` wide and `layers` deep and reads `length` at most.

    X-LLM begins with the weights of bert-base-chinese; here all begin at random.
    """

    def __init__(
        self,
        width: int,
        out_width: int,
        hidden: int = 768,
        layers: int = 12,
        heads: int = 12,
        feed_forward: int = 3072,
        length: int = 512,
    ) -> None:
        super().__init__()
        if hidden % heads:
            raise InputError(f"connectors.bert_adapter: {heads} heads do not divide the hidden width {hidden}")
        config = BertConfig(
            vocab_size=1,
            hidden_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=feed_forward,
            max_position_embeddings=length,
            type_vocab_size=2,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            pad_token_id=None,
        )
        self.enter, self.leave = nn.Linear(width, hidden), nn.Linear(hidden, out_width)
        self.model = BertModel(config, add_pooling_layer=False)
        self.model.embeddings.word_embeddings = nn.Identity()  # vectors come in, no words
        self.length = length

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """As many as come in."""
        if n > self.length:
            raise InputError(f"connectors.bert_adapter.length is {self.length}, but a medium has {n} tokens")
        return n

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, L, H]`."""
        seen = self.model(inputs_embeds=self.enter(features.x).relu()).last_hidden_state
        tokens: Tensor = self.leave(seen).relu()
        return tokens
