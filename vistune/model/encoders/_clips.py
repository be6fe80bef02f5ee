"""Encoders that see a film as a whole: its frames, prepared as pictures, are one input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from vistune.data.media.image import load_image
from vistune.data.media.sampling import spread
from vistune.data.media.video import Clip, film_header, load_video
from vistune.errors import InputError
from vistune.model.encoders._squares import fit_square, normalise
from vistune.model.encoders.base import Encoder
from vistune.model.encoders.huggingface import Huggingface
from vistune.model.features import Layout, Prepared
from vistune.sample import Media


class ClipEncoder(Encoder):
    """`frames` frames of a film, evenly spread (a shorter film gives all it has), through the layers of a picture tower.

    `path` holds a tower of BLIP-2 (EVA-CLIP ViT-g) or of CLIP, whose layers and position embeddings are used; `step` frames at
    least make a film, and it has a multiple of them: the last is repeated. A picture is a film of one frame. `array_rate` is
    that of `vistune.data.media.video.load_video`.
    """

    reads: ClassVar[tuple[str, ...]] = ("image", "video")

    def __init__(
        self, path: str, frames: int, step: int, array_rate: float | None, revision: str | None, load_weights: bool
    ) -> None:
        super().__init__()
        if frames < step or frames % step:
            raise InputError(f"{self._name()}.frames is {frames}, expected a multiple of {step}")
        tower = Huggingface(path, layer=-1, cls="keep", fit="resize", revision=revision, load_weights=load_weights)
        if tower.model.config.model_type not in ("blip_2_vision_model", "instructblip_vision_model", "clip_vision_model"):
            raise InputError(f"{self._name()} is built on the picture tower of BLIP-2 or CLIP, but {path} holds another")
        self.model: Any = tower.model
        self.like_clip = tower.model.config.model_type == "clip_vision_model"
        # Encoders of films put blocks of their own behind the layers and norm where their papers do.
        self.model.post_layernorm = nn.Identity()
        self.norm_in: Any = self.model.pre_layrnorm if self.like_clip else nn.Identity()
        if self.like_clip:  # one module under one name
            self.model.pre_layrnorm = nn.Identity()
        self.array_rate = array_rate
        self.frames, self.step, self.width = frames, step, tower.width
        self.size, self.mean, self.std = tower.size, tower.mean, tower.std
        self.patches = (tower.size // tower.patch) ** 2

    @classmethod
    def _name(cls) -> str:
        return f"encoders.{cls.__module__.rpartition('.')[2]}"

    @property
    def blocks(self) -> nn.ModuleList:
        """The tower's layers."""
        layers: nn.ModuleList = self.model.encoder.layers
        return layers

    def through(self, layer: nn.Module, x: Tensor) -> Tensor:
        """One of the tower's layers on `[N, L, D]`; no token is masked."""
        after: Tensor = layer(x, attention_mask=None) if self.like_clip else layer(x)
        return after

    def front(self) -> tuple[Tensor, Tensor]:
        """The tower's class token `[1, 1, D]` and its places `[1, 1 + patches, D]`."""
        embeddings = self.model.embeddings
        places = embeddings.position_embedding.weight[None] if self.like_clip else embeddings.position_embedding
        return embeddings.class_embedding.reshape(1, 1, -1), places

    def tokens(self, frames: int) -> int:
        """How many tokens a clip of `frames` prepared frames gives."""
        raise InputError(f"{self._name()} does not say how many tokens it gives")

    def layout(self, medium: Media, where: str = "") -> Layout:
        """From the number of frames in the film's header, and when they are shown."""
        if medium.kind == "image":
            return Layout(self.tokens(self.step))
        header = film_header(medium, where, self.array_rate, upright=False)
        places = spread(header.frames, self.frames)
        seconds = None if header.clock is None else tuple(header.clock[place] for place in places)
        # Rounded up: the last frame is repeated until the film is a multiple of `step` frames long.
        return Layout(self.tokens(-(-len(places) // self.step) * self.step), seconds=seconds)

    def prepare(self, decoded: Any) -> Prepared:
        """A `Clip` -> one input `[1, T, 3, H, W]`."""
        squares = [fit_square(Image.fromarray(frame), self.size, "resize", self.mean)[0] for frame in decoded.frames]
        pixels = [normalise(square, self.mean, self.std) for square in squares]
        pixels += pixels[-1:] * (-len(pixels) % self.step)
        return Prepared(torch.stack(pixels)[None])

    def read(self, medium: Media, where: str = "") -> Prepared:
        """Decode the frames and prepare each as a picture."""
        if medium.kind == "image":
            clip = Clip(np.asarray(load_image(medium, where))[None], (None,))
        else:
            clip = load_video(medium, self.frames, where, array_rate=self.array_rate)
        prepared = self.prepare(clip)
        return replace(prepared, layout=Layout(self.tokens(prepared.inputs.shape[1])))
