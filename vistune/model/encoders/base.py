"""The contract of encoders: media -> `Features`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from PIL import Image
from torch import Tensor

from vistune.data.media.audio import load_audio
from vistune.data.media.image import image_size, load_image
from vistune.errors import InputError
from vistune.model.features import Features, Grid, Layout, Prepared, Tiling
from vistune.model.part import Stack
from vistune.sample import Media


class Encoder(Stack):
    """Media of the kinds it `reads` -> `Features`. `width` is D; `blocks` are for partial unfreezing and sharding.

    An encoder of one kind implements `layout`, `prepare` and `forward`; one of several kinds `read` and `see`.
    """

    width: int
    reads: ClassVar[tuple[str, ...]] = ("image",)

    @abstractmethod
    def layout(self, medium: Media, where: str = "") -> Layout:
        """How many tokens a medium gives and how they lie: from its header alone. `where` names the sample in errors."""

    @abstractmethod
    def prepare(self, decoded: Any) -> Prepared:
        """A decoded medium -> `inputs [T, ...]` and geometry; touches no weights."""

    @abstractmethod
    def forward(self, inputs: Tensor) -> Features:
        """N inputs as `prepare` lays them -> their features."""

    def read(self, medium: Media, where: str = "") -> Prepared:
        """Decode and prepare a medium."""
        return self.prepare(_decoder(medium.kind)(medium, where))

    def see(self, inputs: Tensor, kind: str) -> Features:
        """Features of N inputs of media of a kind: `forward`, where the encoder reads one kind only."""
        features: Features = self(inputs)
        return features


class ImageEncoder(Encoder):
    """An encoder of pictures. `size` is the side of its square input in pixels."""

    size: int

    @abstractmethod
    def prepare(self, image: Image.Image) -> Prepared:
        """An upright RGB picture -> pixels and geometry."""

    def read(self, medium: Media, where: str = "") -> Prepared:
        """Decode and prepare a picture."""
        image = load_image(medium, where)
        return replace(self.prepare(image), layout=self.layout_of(image.size))

    @abstractmethod
    def grid(self, size: tuple[int, int]) -> Grid | None:
        """The layout of the tokens of one input, for a picture of `size` (width, height)."""

    @abstractmethod
    def num_tokens(self, size: tuple[int, int]) -> int:
        """How many tokens one input of a picture of `size` (width, height) gives: a pure function."""

    def tiling(self, size: tuple[int, int]) -> Tiling | None:
        """How a picture of `size` (width, height) is cut into several inputs; None where it is one."""
        return None

    def layout(self, medium: Media, where: str = "") -> Layout:
        """From the size in the picture's header."""
        return self.layout_of(image_size(medium, where))

    def layout_of(self, size: tuple[int, int]) -> Layout:
        """The layout of a picture of `size` (width, height)."""
        tiling = self.tiling(size)
        return Layout(self.num_tokens(size), self.grid(size), 1 if tiling is None else tiling.inputs, tiling)


def _decoder(kind: str) -> Callable[[Media, str], Any]:
    decoders: dict[str, Callable[[Media, str], Any]] = {"image": load_image, "audio": load_audio}
    if kind not in decoders:
        raise InputError(f"an encoder of {kind} media must say how it reads them (`Encoder.read`)")
    return decoders[kind]
