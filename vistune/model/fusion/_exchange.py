"""A picture asked through a text transformer: LMEye's interaction module (arXiv 2305.03701, section 3.2).

[begin, prompts made of the picture, requests, end]  ->  causal layers  ->  the states at its end  ->  answer
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from vistune.errors import InputError


class Exchange(nn.Module):
    """From a picture `[M, K, width]` and the state of its request `[M, out_width]` to the answer `[M, answers, out_width]`.

    `between` is a CLIP text transformer with its projection. With `pooled` (v0) the picture is one vector, from which `prompts`
    prompts are made, there is one request, and the state at the end alone makes all answers; else (v0.1) every vector of the
    picture is a prompt, and the last `answers` states make one answer each.
    """

    def __init__(
        self,
        between: Any,
        width: int,
        out_width: int,
        pooled: bool,
        requests: int = 5,
        answers: int = 5,
        prompts: int = 5,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.between = between
        inner, projected = int(between.config.hidden_size), int(between.config.projection_dim)
        self.pooled, self.answers = pooled, answers
        self.requests = 1 if pooled else requests
        if not pooled and answers > 1 + requests:
            raise InputError(
                f"fusion.two_pass: {answers} answers are made of the last states, of which there are {1 + requests}"
            )
        self.prompts = nn.Linear(width, inner * prompts if pooled else inner)
        self.dropout = nn.Dropout(dropout if pooled else 0.0)
        self.request = nn.Linear(out_width, inner * self.requests)
        self.answer = nn.Linear(projected, out_width * answers if pooled else out_width)

    def forward(self, picture: Tensor, state: Tensor) -> Tensor:
        """The answer."""
        states = self.states(self.entered(picture, state))
        last = states[:, -1:] if self.pooled else states[:, -self.answers :]
        answer: Tensor = self.answer(self.between.text_projection(last))
        return answer.unflatten(-1, (self.answers, -1)).flatten(1, 2) if self.pooled else answer

    def entered(self, picture: Tensor, state: Tensor) -> Tensor:
        """What enters the transformer's layers, `[M, L, C]`; only the two ends have positions."""
        text = self.between.text_model
        table, config = text.embeddings, text.config
        prompts = self.dropout(self.prompts(picture)).unflatten(-1, (-1, int(config.hidden_size))).flatten(1, 2)
        # One state makes several vectors by one wide linear layer, as the released weights are laid out.
        asked = self.request(state).unflatten(-1, (self.requests, -1))
        length = prompts.shape[1] + asked.shape[1] + 2
        if length > int(config.max_position_embeddings):
            raise InputError(
                f"fusion.two_pass: {length} states, but the text transformer reads {config.max_position_embeddings}"
            )
        # CLIP's vocabulary ends with the tokens of a text's begin and end.
        ids = torch.tensor([config.vocab_size - 2, config.vocab_size - 1], device=state.device)
        ends = table.token_embedding(ids) + table.position_embedding(torch.tensor([0, length - 1], device=state.device))
        begin, end = (vector.expand(len(prompts), 1, -1) for vector in ends)
        return torch.cat([begin, prompts.to(begin.dtype), asked.to(begin.dtype), end], dim=1)

    def states(self, entered: Tensor) -> Tensor:
        """`[M, L, C]` through the layers, causally, and the last norm."""
        text, length = self.between.text_model, entered.shape[1]
        # CLIP's text tower is causal, and its encoder builds no mask when it is given embeddings.
        mask = torch.full((length, length), torch.finfo(entered.dtype).min, device=entered.device).triu(1)[None, None]
        states = text.encoder(inputs_embeds=entered, attention_mask=mask.to(entered.dtype)).last_hidden_state
        normed: Tensor = text.final_layer_norm(states)
        return normed
