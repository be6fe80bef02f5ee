"""Pictures, films and sounds by signal tokens: the way out of NExT-GPT (arXiv 2309.05519, sections 3 and 4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import CLIPTextModel

from vistune.errors import InputError
from vistune.model.features import Prepared, Thing
from vistune.model.heads._any_painter import read_painter
from vistune.model.heads._captions import caption_of
from vistune.model.heads._output_projection import OutputProjection, distance_each
from vistune.model.heads._painter import as_media
from vistune.model.heads.base import Head, Loss, Made
from vistune.model.modalities.base import Seen
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model, read_tokenizer
from vistune.prompt.writer import Stretch, Trigger
from vistune.sample import MediaKind, Part, Produce, Sample


class SignalTokens(Head):
    """A run of `signals` tokens, `[IMG0] [IMG1] ...`, whose states become the condition of a painter.

    What is projected is the state *at* each signal token plus the token's embedding. The loss draws it to what `text_encoder`
    (a CLIP, by directory or hub id: that of the painter, frozen) makes of the caption, padded to `length` words: training needs
    no painter. `medium` is the kind of media that is made. The projection is `inner` wide, `layers` deep on each side.

    With a `painter` (of diffusers, or the world's), pictures are painted from the condition in `steps` steps, `guidance` away
    from no caption.
    """

    makes = ("produce_image",)
    state = "own"
    embedded = True
    losses: Mapping[str, float] = {"signal": 1.0}

    def __init__(
        self,
        width: int,
        text_encoder: str,
        signals: int = 4,
        length: int = 77,
        inner: int = 512,
        layers: int = 4,
        heads: int = 4,
        medium: MediaKind = "image",
        painter: str | None = None,
        steps: int = 50,
        guidance: float = 7.5,
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        self.makes = (f"produce_{medium}",)
        self.tokens = tuple(f"[{_SHORT[medium]}{number}]" for number in range(signals))
        folder = locate(text_encoder)
        config = read_config(text_encoder, folder, None)
        config = config.text_config if "text_config" in config.sub_configs else config
        self.tokenizer: Any = read_tokenizer(text_encoder, folder, None)
        self.text_encoder: Any = read_model(CLIPTextModel, text_encoder, folder, config, None, load_weights)
        self.text_encoder.requires_grad_(False)
        if length > int(config.max_position_embeddings):
            raise InputError(
                f"heads.signal_tokens.length is {length}, but {text_encoder} reads {config.max_position_embeddings} tokens"
            )
        self.length, self.steps, self.guidance = length, steps, guidance
        self.project = OutputProjection(width, int(config.hidden_size), length, inner, layers, heads)
        self.painter = None if painter is None else read_painter(painter, load_weights)

    def write(self, part: Part, sample: Sample) -> Sequence[Stretch]:
        """The run of signal tokens."""
        return [Trigger(token) for token in self.tokens]

    def prepare(self, part: Part, sample: Sample) -> Prepared:
        """`inputs [1, length]`: the caption as the text encoder reads it."""
        assert isinstance(part, Produce)
        return Prepared(self._words([caption_of(part, sample)]))

    def loss(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> dict[str, Loss]:
        """The distance to the text encoder's embedding of each caption, averaged over its words."""
        condition = self.project(torch.stack(list(hidden)))
        words = torch.cat([thing.ready.inputs for thing in things]).to(condition.device)
        return {"signal": Loss(distance_each(condition, self.embed(words)).sum(), self.makes[0])}

    def decode(self, hidden: Sequence[Tensor], things: Sequence[Thing], seen: Seen) -> list[Made]:
        """Pictures. Raises `InputError` without a painter."""
        if self.painter is None:
            raise InputError("heads.signal_tokens: no picture can be painted without a painter: set its key 'painter'")
        with torch.no_grad():
            condition = self.project(torch.stack(list(hidden)))
            null = self.embed(self._words([""]).to(condition.device))
            return list(as_media(self.painter.paint(condition, null, self.steps, self.guidance, seed=0)))

    @torch.no_grad()
    def embed(self, words: Tensor) -> Tensor:
        """Token ids `[n, length]` -> the text encoder's last states `[n, length, C]`."""
        states: Tensor = self.text_encoder(input_ids=words).last_hidden_state
        return states

    def _words(self, texts: list[str]) -> Tensor:
        rows = self.tokenizer(texts, padding="max_length", truncation=True, max_length=self.length, return_tensors="pt")
        return torch.as_tensor(rows["input_ids"])


_SHORT: dict[str, str] = {"image": "IMG", "video": "VID", "audio": "AUD", "points": "PTS"}
