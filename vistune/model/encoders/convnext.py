"""ConvNeXt of `transformers`: the feature map of one stage, read row by row as tokens."""

from __future__ import annotations

from typing import Any

from PIL import Image
from torch import Tensor, nn
from transformers import AutoModel

from vistune.errors import InputError
from vistune.model.encoders._squares import Fit, fit_square, normalise
from vistune.model.encoders._statistics import statistics
from vistune.model.encoders.base import ImageEncoder
from vistune.model.features import Features, Grid, Prepared
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model


class Convnext(ImageEncoder):
    """`stage` chooses the feature map (1: the first stage's, -1: the last's), `size` the side of the square pictures."""

    def __init__(
        self,
        path: str,
        size: int = 384,
        stage: int = -1,
        fit: Fit = "pad",
        revision: str | None = None,
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        folder = locate(path)
        config = read_config(path, folder, revision)
        if config.model_type not in ("convnext", "convnextv2"):
            raise InputError(f"{path} holds a {config.model_type!r}, expected a convnext or convnextv2")
        stages = len(config.hidden_sizes)
        self.stage = stage if stage > 0 else stages + 1 + stage
        if not 1 <= self.stage <= stages:
            raise InputError(f"encoders.convnext.stage is {stage}, but {path} has the stages 1 to {stages}")
        # The stem divides by the patch, every further stage by two.
        self.stride: int = int(config.patch_size) << (self.stage - 1)
        if size % (int(config.patch_size) * 2 ** (stages - 1)):
            raise InputError(
                f"encoders.convnext.size is {size}, expected a multiple of {config.patch_size * 2 ** (stages - 1)}"
            )
        self.model: Any = read_model(AutoModel, path, folder, config, revision, load_weights)
        self.size, self.fit = size, fit
        self.width = int(config.hidden_sizes[self.stage - 1])
        self.mean, self.std = statistics(folder, revision)

    @property
    def blocks(self) -> nn.ModuleList:
        """The stages."""
        stages: nn.ModuleList = self.model.encoder.stages
        return stages

    def prepare(self, image: Image.Image) -> Prepared:
        """Square, scaled, normalised."""
        square, geometry = fit_square(image, self.size, self.fit, self.mean)
        return Prepared(normalise(square, self.mean, self.std)[None], geometry)

    def grid(self, size: tuple[int, int]) -> Grid | None:
        """The feature map's rows and columns."""
        side = self.size // self.stride
        return side, side

    def num_tokens(self, size: tuple[int, int]) -> int:
        """One token a place of the feature map."""
        side = self.size // self.stride
        return side * side

    def forward(self, pixels: Tensor) -> Features:
        """Run the network and choose the stage."""
        seen = self.model(pixels, output_hidden_states=True)
        x = seen.hidden_states[self.stage].flatten(2).transpose(1, 2)
        return Features(x, self.grid((self.size, self.size)), seen.pooler_output)
