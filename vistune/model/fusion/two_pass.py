"""A request to the picture and its answer, between two passes of the language model: LMEye (arXiv 2305.03701, section 3.2).

    places       [ picture ] [ request ] [ answer answer answer answer answer ]
    1st pass     the state at the request says what is wanted
    between      a text transformer reads [begin, picture as prompts, requests, end]; what it ends with is the answer
    2nd pass     the answer is added at its places, and the language model goes on to write

The published versions differ: v0 reads a pooled picture and answers from the state at `end`; v0.1 reads a Q-Former's queries
and answers from the last states, which are those of requests 2 to 5 and of `end`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from transformers import CLIPTextModelWithProjection

from vistune.errors import InputError
from vistune.model.fusion._exchange import Exchange
from vistune.model.fusion.base import Fusion, Tokens, placed
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.model.modalities.base import Seen
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model
from vistune.prompt.render import Slots


class TwoPass(Fusion):
    """`version` chooses between v0 and v0.1; `text` is the CLIP whose text transformer stands between the passes.

    The connector gives tokens `width` wide, of which the visual tokens and the prompts are made here. `answers` places take the
    answer; v0 makes its one request at the first of them, v0.1 has a place for it, from which `requests` vectors are made.
    """

    repeats = True

    def __init__(
        self,
        text: str,
        width: int = 768,
        version: Literal["v0", "v0.1"] = "v0.1",
        requests: int = 5,
        answers: int = 5,
        prompts: int = 5,
        dropout: float = 0.5,
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        self.width, self.version, self.answers = width, version, answers
        self._text, self._load = text, load_weights
        self._sizes: dict[str, Any] = {"requests": requests, "answers": answers, "prompts": prompts, "dropout": dropout}

    def reads(self, width: int) -> int:
        """Tokens of the connector's own width: they are projected here."""
        return self.width

    def install(self, language_model: LanguageModel) -> None:
        """The text transformer, the projections, and the vectors that mark places."""
        width, folder = language_model.width, locate(self._text)
        config = read_config(self._text, folder, None)
        config = config.text_config if "text_config" in config.sub_configs else config
        between = read_model(CLIPTextModelWithProjection, self._text, folder, config, None, self._load)
        self.exchange = Exchange(between, self.width, width, self.version == "v0", **self._sizes)
        self.proj = nn.Linear(self.width, width)
        self.mark_picture = nn.Parameter(torch.randn(width) * 0.02) if self.version == "v0" else None
        self.mark_request = nn.Parameter(torch.randn(width) * 0.02) if self.version == "v0.1" else None
        self.mark_answer = nn.Parameter(torch.randn(width) * 0.02)

    @property
    def _request(self) -> int:
        """Places of the request's own."""
        return 0 if self.version == "v0" else 1

    def places(self, count: int) -> int:
        """The visual tokens, the request and its answer."""
        return count + self._request + self.answers

    def prepare(self, text: Inputs, tokens: Tokens, slots: Slots) -> Inputs:
        """What the first pass reads: all vectors are added to the placeholder's embedding, as published."""
        where, media = placed(tokens, slots)
        marks = [] if self.mark_request is None else [self.mark_request[None]]
        rows = [torch.cat([self._projected(values), *marks, self.mark_answer.expand(self.answers, -1)]) for values in media]
        if not rows:
            # Times zero, so that a row without pictures still gives every parameter a gradient, and ranks do not wait for
            # each other.
            unused = sum(parameter.sum() for parameter in self.parameters() if parameter.requires_grad)
            return replace(text, embeds=text.embeds + 0.0 * unused)
        places = torch.cat([torch.arange(slot.start, slot.start + slot.length) for slot in where]).to(text.embeds.device)
        embeds = text.embeds.index_put((places,), torch.cat(rows).to(text.embeds.dtype), accumulate=True)
        return replace(text, embeds=embeds)

    def _projected(self, values: Tensor) -> Tensor:
        seen: Tensor = self.proj(values)
        return seen if self.mark_picture is None else seen + self.mark_picture

    def settle(self, language_model: LanguageModel, inputs: Inputs, tokens: Tokens, slots: Slots, seen: Seen) -> Inputs:
        """The first pass, the answers to its requests, and what the second pass reads."""
        where, media = placed(tokens, slots)
        if not where:
            return inputs
        device = inputs.embeds.device
        if self.version == "v0" and any(len(values) != 1 for values in media):
            raise InputError("fusion.two_pass: version v0 reads one vector a picture, as the connector pooled gives")
        # A slot is tokens, request and answer, in this order.
        first = torch.tensor([slot.start + slot.length - self.answers for slot in where], device=device)
        # v0 reads the state at the first place of the answer, v0.1 the state at its request, right before.
        states = language_model.read(inputs)[first - self._request]
        answers = self.exchange(torch.stack(media), states)
        places = (first[:, None] + torch.arange(self.answers, device=device)).flatten()
        embeds = inputs.embeds.index_put((places,), answers.flatten(0, 1).to(inputs.embeds.dtype), accumulate=True)
        return replace(inputs, embeds=embeds)
