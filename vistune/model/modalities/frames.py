"""Films through an encoder of pictures: frame by frame, the times of the frames kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from PIL import Image

from vistune.data.media.video import film_shape, load_video
from vistune.errors import InputError
from vistune.model.connectors.base import Connector
from vistune.model.encoders.base import ImageEncoder
from vistune.model.features import Layout, Prepared
from vistune.model.modalities.chain import Chain
from vistune.sample import Media, MediaKind


class Frames(Chain):
    """`frames` frames, evenly spread (a shorter film gives all it has), are the inputs of an encoder of pictures."""

    encoder: ImageEncoder

    def __init__(
        self,
        kind: MediaKind,
        encoder: ImageEncoder,
        connectors: Sequence[Connector],
        places: Callable[[int], int],
        device: Callable[[], torch.device],
        before: str = "",
        after: str = "",
        frames: int = 8,
    ) -> None:
        super().__init__(kind, encoder, connectors, places, device, before, after)
        if frames < 1:
            raise InputError(f"modalities.{kind}: frames is {frames}, expected at least 1")
        self.frames = frames

    def layout(self, medium: Media, where: str = "") -> Layout:
        """From the film's header: its size and number of frames."""
        count, size = film_shape(medium, where)
        return self._layout(size, min(self.frames, count), where or medium.name)

    def read(self, medium: Media, where: str = "") -> Prepared:
        """The frames, each prepared as a picture."""
        clip = load_video(medium, self.frames, where)
        seen = [self.encoder.prepare(Image.fromarray(frame)) for frame in clip.frames]
        height, width = clip.frames.shape[1:3]
        layout = self._layout((width, height), len(seen), where or medium.name)
        times = [second for second in clip.seconds if second is not None]
        seconds = tuple(times) if len(times) == len(seen) else None
        inputs = torch.cat([frame.inputs for frame in seen])
        return Prepared(inputs, seen[0].geometry, replace(layout, seconds=seconds))

    def _layout(self, size: tuple[int, int], count: int, name: str) -> Layout:
        one = self.encoder.layout_of(size)
        if one.tiling is not None:
            raise InputError(f"{name}: a film cannot be tiled: give modalities.{self.reads} an encoder without tiles")
        return replace(one, inputs=count)
