"""The contract of encoders."""

from __future__ import annotations

from abc import abstractmethod

from PIL import Image
from torch import Tensor, nn

from vistune.model.features import Features, Grid, Prepared, Tiling


class Encoder(nn.Module):
    """Media -> `Features`. `width` is D, `size` the side of a square input in pixels; `blocks` are for partial unfreezing."""

    width: int
    size: int

    @property
    @abstractmethod
    def blocks(self) -> nn.ModuleList:
        """The transformer blocks (or stages), first to last."""

    @abstractmethod
    def prepare(self, image: Image.Image) -> Prepared:
        """An upright RGB picture -> pixels and geometry."""

    @abstractmethod
    def grid(self, size: tuple[int, int]) -> Grid | None:
        """The layout of the tokens of one input, for a picture of `size` (width, height)."""

    @abstractmethod
    def num_tokens(self, size: tuple[int, int]) -> int:
        """How many tokens one input of a picture of `size` (width, height) gives: a pure function."""

    def tiling(self, size: tuple[int, int]) -> Tiling | None:
        """How a picture of `size` (width, height) is cut into several inputs; None where it is one."""
        return None

    @abstractmethod
    def forward(self, pixels: Tensor) -> Features:
        """What `prepare` gave, N inputs of it (`[N, 3, H, W]` where nothing else is said) -> their features."""
