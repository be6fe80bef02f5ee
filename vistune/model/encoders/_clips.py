"""Encoders that see a film as a whole: its frames, prepared as pictures, are one input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import torch
from PIL import Image
from torch import nn

from vistune.data.media.video import frame_count, load_video
from vistune.errors import InputError
from vistune.model.encoders._squares import fit_square, normalise
from vistune.model.encoders.base import Encoder
from vistune.model.encoders.huggingface import Huggingface
from vistune.model.features import Layout, Prepared
from vistune.sample import Media


class ClipEncoder(Encoder):
    """`frames` frames of a film, evenly spread (a shorter film gives all it has), through the layers of a picture tower.

    `path` holds a tower of BLIP-2 (EVA-CLIP ViT-g), whose layers and position embeddings are used; `step` frames at least make
    a film, and it has a multiple of them: the last is repeated.
    """

    reads: ClassVar[tuple[str, ...]] = ("video",)

    def __init__(self, path: str, frames: int, step: int, revision: str | None, load_weights: bool) -> None:
        super().__init__()
        if frames < step or frames % step:
            raise InputError(f"{self._name()}.frames is {frames}, expected a multiple of {step}")
        tower = Huggingface(path, layer=-1, cls="keep", fit="resize", revision=revision, load_weights=load_weights)
        if tower.model.config.model_type not in ("blip_2_vision_model", "instructblip_vision_model"):
            raise InputError(f"{self._name()} is built on the picture tower of BLIP-2, but {path} holds another")
        self.model: Any = tower.model
        self.model.post_layernorm = nn.Identity()
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

    def tokens(self, frames: int) -> int:
        """How many tokens a clip of `frames` prepared frames gives."""
        raise InputError(f"{self._name()} does not say how many tokens it gives")

    def layout(self, medium: Media, where: str = "") -> Layout:
        """From the number of frames in the film's header."""
        count = min(self.frames, frame_count(medium, where))
        return Layout(self.tokens(-(-count // self.step) * self.step))

    def prepare(self, decoded: Any) -> Prepared:
        """A `Clip` -> one input `[1, T, 3, H, W]`."""
        squares = [fit_square(Image.fromarray(frame), self.size, "resize", self.mean)[0] for frame in decoded.frames]
        pixels = [normalise(square, self.mean, self.std) for square in squares]
        pixels += pixels[-1:] * (-len(pixels) % self.step)
        return Prepared(torch.stack(pixels)[None])

    def read(self, medium: Media, where: str = "") -> Prepared:
        """Decode the frames and prepare each as a picture."""
        prepared = self.prepare(load_video(medium, self.frames, where))
        return replace(prepared, layout=Layout(self.tokens(prepared.inputs.shape[1])))
