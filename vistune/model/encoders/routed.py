"""A tower with an adapter in front of every attention, routed by each token itself: LaVIN's encoder (arXiv 2305.15023)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PIL import Image
from torch import Tensor, nn

from vistune.errors import InputError, nearest
from vistune.model.adapters.routed import RoutedAdapter
from vistune.model.encoders.base import ImageEncoder
from vistune.model.features import Features, Grid, Prepared, Tiling
from vistune.spec import Spec, build


class Routed(ImageEncoder):
    """`inner` with a routed adapter behind `module` of every block, the norm in front of its attention.

    A stage trains them as `vision.adapters`. LaVIN's code lays tokens before pictures, so that the first picture of a batch
    routes all the others, place by place; here each picture's own tokens do, which is what that gives for one picture.
    """

    def __init__(
        self,
        inner: Spec = "huggingface",
        hidden: int = 8,
        groups: int = 2,
        scale: float = 1.0,
        temperature: float = 10.0,
        dropout: float = 0.1,
        module: str = "layer_norm1",
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        self.inner: ImageEncoder = build("vistune.model.encoders", inner, ImageEncoder, load_weights=load_weights)
        self.width, self.size = self.inner.width, self.inner.size
        self.adapters = nn.ModuleList()
        for block in self.inner.blocks:
            named: dict[str, nn.Module] = dict(block.named_modules())
            if module not in named:
                raise InputError(f"encoders.routed: the blocks have no module {module!r}{nearest(module, list(named))}")
            norm = named[module]
            # The block's width, read from the norm: towers name it differently in their configurations.
            weight = norm.get_parameter("weight")
            adapter = RoutedAdapter(len(weight), hidden, groups, scale, temperature, dropout)
            norm.forward = partial(_adapted, norm.forward, adapter)  # this instance's alone
            self.adapters.append(adapter)

    @property
    def blocks(self) -> nn.ModuleList:
        """Those of `inner`."""
        return self.inner.blocks

    def tiling(self, size: tuple[int, int]) -> Tiling | None:
        """As `inner` cuts."""
        return self.inner.tiling(size)

    def grid(self, size: tuple[int, int]) -> Grid | None:
        """As `inner` lays its tokens."""
        return self.inner.grid(size)

    def num_tokens(self, size: tuple[int, int]) -> int:
        """As many as `inner` gives."""
        return self.inner.num_tokens(size)

    def prepare(self, image: Image.Image) -> Prepared:
        """As `inner` does."""
        return self.inner.prepare(image)

    def forward(self, inputs: Tensor) -> Features:
        """Features of the adapted tower."""
        features: Features = self.inner(inputs)
        return features


def _adapted(base: Callable[[Tensor], Tensor], adapter: RoutedAdapter, x: Tensor) -> Tensor:
    normed = base(x)
    adapted: Tensor = adapter(normed, adapter.weigh(normed))
    return adapted
