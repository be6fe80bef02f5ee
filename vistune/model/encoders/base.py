"""The contract of encoders."""

from __future__ import annotations

from abc import abstractmethod

from PIL import Image
from torch import Tensor, nn

from vistune.model.features import Features, Grid, Prepared


class Encoder(nn.Module):
    """Media -> `Features`. `width` is D; `blocks` are there for partial unfreezing, first to last."""

    width: int

    @property
    @abstractmethod
    def blocks(self) -> nn.ModuleList:
        """The transformer blocks."""

    @abstractmethod
    def prepare(self, image: Image.Image) -> Prepared:
        """An upright RGB picture -> pixels and geometry."""

    @abstractmethod
    def grid(self, size: tuple[int, int]) -> Grid | None:
        """The layout of the tokens of one input, for a picture of `size` (width, height)."""

    @abstractmethod
    def num_tokens(self, size: tuple[int, int]) -> int:
        """How many tokens one input of a picture of `size` (width, height) gives: a pure function."""

    @abstractmethod
    def forward(self, pixels: Tensor) -> Features:
        """`pixels [N, 3, H, W]` -> features of N inputs."""
