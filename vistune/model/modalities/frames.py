"""Films through an encoder of pictures: frame by frame, the times of the frames kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from PIL import Image

from vistune.data.media.sampling import Rule, Sampling
from vistune.data.media.video import film_header, load_video
from vistune.errors import InputError
from vistune.model.connectors.base import Connector
from vistune.model.encoders.base import ImageEncoder
from vistune.model.features import Layout, Prepared
from vistune.model.modalities.chain import Chain
from vistune.sample import Media, MediaKind


class Frames(Chain):
    """`frames` frames at most, chosen by the rule `sample` (`vistune.data.media.sampling`), are the inputs of an encoder of
    pictures.

    Films that are arrays have no clock; `array_rate` says how many frames a second they have.
    """

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
        sample: Rule = "uniform",
        rate: float = 1.0,
        array_rate: float | None = None,
    ) -> None:
        super().__init__(kind, encoder, connectors, places, device, before, after)
        try:
            self.sampling = Sampling(frames, sample, rate)
        except InputError as error:
            raise InputError(f"modalities.{kind}: {error}") from error
        if array_rate is not None and not 0 < array_rate < float("inf"):
            raise InputError(f"modalities.{kind}: array_rate is {array_rate}, expected frames a second, a number above 0")
        self.array_rate = array_rate

    def layout(self, medium: Media, where: str = "") -> Layout:
        """From the film's header: its size, its number of frames, and when they are shown."""
        name = where or medium.name
        # Reading a film's rotation means opening the stream, so it is read only where the layout differs between the two
        # orientations.
        header = film_header(medium, where, self.array_rate, upright=False)
        if self.encoder.layout_of(header.size) != self.encoder.layout_of(header.size[::-1]):  # it matters which side is up
            header = film_header(medium, where, self.array_rate)
        places = self.sampling.places(header.frames, header.clock, name)
        seconds = None if header.clock is None else tuple(header.clock[place] for place in places)
        return replace(self._layout(header.size, len(places), name), seconds=seconds)

    def read(self, medium: Media, where: str = "") -> Prepared:
        """The frames, each prepared as a picture."""
        clip = load_video(medium, self.sampling, where, array_rate=self.array_rate)
        seen = [self.encoder.prepare(Image.fromarray(frame)) for frame in clip.frames]
        height, width = clip.frames.shape[1:3]
        layout = self._layout((width, height), len(seen), where or medium.name)
        times = [second for second in clip.seconds if second is not None]
        # Times of some frames only would be written into prompts beside the wrong frames.
        seconds = tuple(times) if len(times) == len(seen) else None
        inputs = torch.cat([frame.inputs for frame in seen])
        return Prepared(inputs, seen[0].geometry, replace(layout, seconds=seconds))

    def _layout(self, size: tuple[int, int], count: int, name: str) -> Layout:
        one = self.encoder.layout_of(size)
        if one.tiling is not None:
            raise InputError(f"{name}: a film cannot be tiled: give modalities.{self.reads} an encoder without tiles")
        return replace(one, inputs=count)
