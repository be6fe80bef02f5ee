"""Any vision transformer of `transformers`: CLIP, SigLIP, DINOv2 and their kin, by hub id or local directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel
from transformers.utils import cached_file

from vistune.errors import InputError
from vistune.model.assets import locate
from vistune.model.encoders._squares import Fit, fit_square, normalise
from vistune.model.encoders.base import Encoder
from vistune.model.features import Features, Grid, Prepared

# Tokens in front of the patches, by the configuration's model type; DINOv2 variants add their registers.
_PREFIX_TOKENS = {"clip_vision_model": 1, "siglip_vision_model": 0, "dinov2": 1, "dinov2_with_registers": 1, "vit": 1}


class Huggingface(Encoder):
    """Patch features of one hidden layer.

    `path` is a directory or hub id; a dual encoder's vision half is taken. `layer` chooses the hidden state (-2: the last but
    one, as LLaVA; -1: the last), `cls` keeps or drops the tokens in front of the patches, `fit` says how pictures become
    squares. The architecture is read from `config.json`, the weights from safetensors.
    """

    def __init__(
        self,
        path: str,
        layer: int = -2,
        cls: Literal["drop", "keep"] = "drop",
        fit: Fit = "pad",
        revision: str | None = None,
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        folder = locate(path)
        config = AutoConfig.from_pretrained(folder, revision=revision)
        config = _vision_config(config)
        if config.model_type not in _PREFIX_TOKENS:
            known = ", ".join(_PREFIX_TOKENS)
            raise InputError(f"{path} holds a {config.model_type!r}, which is no vision tower known here: {known}")
        if load_weights:
            self.model: nn.Module = AutoModel.from_pretrained(
                folder, config=config, revision=revision, use_safetensors=True, dtype=torch.float32
            )
        else:
            self.model = AutoModel.from_config(config, dtype=torch.float32)
        self.layer, self.cls, self.fit = layer, cls, fit
        self.prefix = _PREFIX_TOKENS[config.model_type] + getattr(config, "num_register_tokens", 0)
        self.width = int(config.hidden_size)
        self.size, self.patch = int(config.image_size), int(config.patch_size)
        self.mean, self.std = _statistics(folder, revision)

    @property
    def blocks(self) -> nn.ModuleList:
        """The transformer blocks."""
        lists = [module for module in self.model.modules() if isinstance(module, nn.ModuleList)]
        return max(lists, key=len)

    def prepare(self, image: Image.Image) -> Prepared:
        """Square, scaled, normalised."""
        square, geometry = fit_square(image, self.size, self.fit, self.mean)
        return Prepared(normalise(square, self.mean, self.std)[None], geometry)

    def grid(self, size: tuple[int, int]) -> Grid | None:
        """The patches' layout; None when tokens that are no patches stand in front."""
        side = self.size // self.patch
        return (side, side) if self.cls == "drop" or not self.prefix else None

    def num_tokens(self, size: tuple[int, int]) -> int:
        """Patches, and the kept tokens in front of them."""
        return (self.size // self.patch) ** 2 + (self.prefix if self.cls == "keep" else 0)

    def forward(self, pixels: Tensor) -> Features:
        """Run the tower and choose the layer."""
        seen = self.model(pixels, output_hidden_states=True)
        x = seen.hidden_states[self.layer]
        if self.cls == "drop":
            x = x[:, self.prefix :]
        return Features(x, self.grid((self.size, self.size)), seen.pooler_output)


def _vision_config(config: Any) -> Any:
    """A dual encoder's vision half, or the configuration itself."""
    return config.vision_config if "vision_config" in config.sub_configs else config


def _statistics(folder: str, revision: str | None) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and standard deviation of the pixels, from the image processor's file (either layout)."""
    for name in ("preprocessor_config.json", "processor_config.json"):
        found = cached_file(folder, name, revision=revision, _raise_exceptions_for_missing_entries=False)
        if found is None:
            continue
        settings = json.loads(Path(found).read_text(encoding="utf-8"))
        settings = settings.get("image_processor", settings)
        if "image_mean" in settings:
            mean, std = settings["image_mean"], settings["image_std"]
            return (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])
    raise InputError(f"{folder} has no preprocessor_config.json with image_mean and image_std, which the tower was taught with")
