"""PointBERT, the point cloud encoder of PointLLM (arXiv 2111.14819; 2308.16911, section 3.2), as a part of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from vistune.data.media.points import load_points
from vistune.errors import InputError
from vistune.files import read_json
from vistune.model.encoders._point_bert import PointTransformer
from vistune.model.encoders.base import Encoder
from vistune.model.features import Features, Layout, Prepared
from vistune.model.weights.assets import locate
from vistune.model.weights.tensors import read_tensors
from vistune.sample import Media

CONFIG, WEIGHTS = "config.json", "model.safetensors"


class PointBert(Encoder):
    """A token for each of `groups` neighbourhoods of `neighbours` points, behind a class token.

    `path` is a directory with the sizes (`config.json`) and weights (`model.safetensors`), such as `builtin:point_bert`;
    without it the weights begin at random and the sizes are PointLLM's, or as given. See `PointTransformer` for them.
    """

    reads: ClassVar[tuple[str, ...]] = ("points",)

    def __init__(
        self,
        path: str | None = None,
        points: int = 8192,
        channels: int = 3,
        groups: int = 512,
        neighbours: int = 32,
        width: int = 384,
        depth: int = 12,
        heads: int = 6,
        seed: int = 0,
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        if path is None:
            self.begins = "random"
            self.model = PointTransformer(points, channels, groups, neighbours, width, depth, heads, seed=seed)
        else:
            folder = Path(locate(path))
            self.model = self._stored(folder)
            if load_weights:
                self._fill(folder / WEIGHTS)
        self.width = self.model.width

    def _stored(self, folder: Path) -> PointTransformer:
        config: Any = read_json(folder / CONFIG)
        if not isinstance(config, dict) or "hidden" not in config:
            raise InputError(f"{folder / CONFIG} does not hold the sizes of a PointBERT")
        return PointTransformer(**{**config, "hidden": tuple(config["hidden"])})

    def _fill(self, file: Path) -> None:
        tensors, own = read_tensors(str(file)), self.model.state_dict()
        named = {name: tensors[name] for name in own if name in tensors}
        if missing := sorted(set(own) - set(named)):
            raise InputError(f"{file} lacks {missing[0]!r} ({len(missing)} such tensors)")
        for name, tensor in named.items():
            if tensor.shape != own[name].shape:
                raise InputError(f"{file}: {name} is {list(tensor.shape)}, expected {list(own[name].shape)}")
        self.model.load_state_dict(named)

    @property
    def blocks(self) -> nn.ModuleList:
        """The transformer's blocks."""
        return self.model.blocks

    def layout(self, medium: Media, where: str = "") -> Layout:
        """The same for every cloud."""
        return Layout(self.model.num_tokens())

    def prepare(self, decoded: NDArray[np.float32]) -> Prepared:
        """A cloud `[P, 3 + C]` in the unit sphere; a larger one thinned, farthest points first."""
        return Prepared(self.model.prepare(decoded)[None], layout=Layout(self.model.num_tokens()))

    def read(self, medium: Media, where: str = "") -> Prepared:
        """Decode and prepare a cloud."""
        try:
            return self.prepare(load_points(medium, where))
        except InputError as error:
            if where and not str(error).startswith(where):
                raise InputError(f"{where}: {medium.kind} {medium.name}: {error}") from error
            raise

    def forward(self, inputs: Tensor) -> Features:
        """`[N, P, 3 + C]` -> `x [N, 1 + groups, D]`."""
        features: Features = self.model(inputs)
        return features
