"""Any vision transformer of `transformers`: CLIP, SigLIP, SigLIP 2, DINOv2, ViT and BLIP-2's, by hub id or local directory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isqrt
from typing import Any, Literal

import torch
from PIL import Image
from torch import Tensor, nn
from transformers import AutoModel, Blip2VisionModel, InstructBlipVisionModel

from vistune.errors import InputError
from vistune.model.encoders._squares import Fit, fit_square, normalise
from vistune.model.encoders._statistics import statistics
from vistune.model.encoders.base import ImageEncoder
from vistune.model.features import Features, Grid, Prepared
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model


def _told(model: nn.Module, pixels: Tensor, patch: int, resized: bool) -> Any:
    """Towers that scale their position embeddings when told to."""
    return model(pixels, output_hidden_states=True, interpolate_pos_encoding=resized)


def _always(model: nn.Module, pixels: Tensor, patch: int, resized: bool) -> Any:
    """Towers that scale their position embeddings whenever they must."""
    return model(pixels, output_hidden_states=True)


def _patches(model: nn.Module, pixels: Tensor, patch: int, resized: bool) -> Any:
    """Towers that take patches: `[N, 3, H, W]` -> `[N, rows * columns, patch * patch * 3]`."""
    count, channels, height, width = pixels.shape
    rows, columns = height // patch, width // patch
    # SigLIP 2's processor lays a patch out row by row with channels last; the order of these axes is that of its weights.
    cut = pixels.view(count, channels, rows, patch, columns, patch).permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)
    shape = torch.tensor([[rows, columns]], device=pixels.device).expand(count, 2)
    seen = torch.ones(count, rows * columns, dtype=torch.long, device=pixels.device)
    return model(cut, pixel_attention_mask=seen, spatial_shapes=shape, output_hidden_states=True)


# How many tokens stand in front of the patches (registers are added from the configuration), how the tower is called, and
# how it is built: published ViTs have no pooler.
_TOWERS: dict[str, tuple[int, Callable[[nn.Module, Tensor, int, bool], Any], dict[str, Any]]] = {
    "clip_vision_model": (1, _told, {}),
    "siglip_vision_model": (0, _told, {}),
    "siglip2_vision_model": (0, _patches, {}),
    "dinov2": (1, _always, {}),
    "dinov2_with_registers": (1, _always, {}),
    "vit": (1, _told, {"add_pooling_layer": False}),
    "blip_2_vision_model": (1, _told, {}),
    "instructblip_vision_model": (1, _told, {}),
}
# Towers that `AutoModel` does not know. In a whole model's directory their tensors' names have a prefix.
_NAMED = {"blip_2_vision_model": Blip2VisionModel, "instructblip_vision_model": InstructBlipVisionModel}
_WHOLE = {r"^vision_model\.": ""}


class Huggingface(ImageEncoder):
    """Patch features of one hidden layer, or of several side by side.

    `path` is a directory or hub id; a dual encoder's vision half is taken. `layer` chooses the hidden state (-2: the last but
    one, as LLaVA; -1: the last), a list of layers is concatenated by channel; region encoders get the layers to `keep` beside.
    `cls` keeps or drops the tokens in front of the patches, `fit` says how pictures become squares, `size` their side where it
    is not the one the tower was taught with: position embeddings are then interpolated. The architecture is read from
    `config.json`, the weights from safetensors.
    """

    def __init__(
        self,
        path: str,
        layer: int | Sequence[int] = -2,
        cls: Literal["drop", "keep"] = "drop",
        fit: Fit = "pad",
        size: int | None = None,
        keep: Sequence[int] = (),
        revision: str | None = None,
        load_weights: bool = True,
    ) -> None:
        super().__init__()
        folder = locate(path)
        config = _vision_config(read_config(path, folder, revision))
        if config.model_type not in _TOWERS:
            known = ", ".join(_TOWERS)
            raise InputError(f"{path} holds a {config.model_type!r}, which is no vision transformer known here: {known}")
        self.patch = int(config.patch_size)
        taught = _taught_size(config)
        self.size = size or taught
        if self.size % self.patch:
            raise InputError(f"encoders.huggingface.size is {self.size}, expected a multiple of the patch, {self.patch}")
        self.layers = [layer] if isinstance(layer, int) else list(layer)
        depth = int(config.num_hidden_layers)
        self.keep = list(keep)
        # An empty list would pass every check and concatenate nothing; depth + 1 fails it.
        for number in [*self.layers, *self.keep] or [depth + 1]:
            if not -depth - 1 <= number <= depth:
                raise InputError(f"encoders.huggingface.layer is {layer}, but {path} has the hidden states 0 to {depth}")
        front, self._run, arguments = _TOWERS[config.model_type]
        if config.model_type in _NAMED:
            auto, arguments = _NAMED[config.model_type], {"key_mapping": _WHOLE} if load_weights else {}
        else:
            auto = AutoModel
        self.model: Any = read_model(auto, path, folder, config, revision, load_weights, **arguments)
        self.cls, self.fit = cls, fit
        self.prefix = front + int(config.to_dict().get("num_register_tokens", 0))
        self.resized = self.size != taught
        self.width = int(config.hidden_size) * len(self.layers)
        self.mean, self.std = statistics(folder, revision)

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
        """Run the tower and choose the layers."""
        seen = self._run(self.model, pixels, self.patch, self.resized)
        x = torch.cat([seen.hidden_states[layer] for layer in self.layers], dim=-1)
        if self.cls == "drop":
            x = x[:, self.prefix :]
        kept = {number: seen.hidden_states[number][:, self.prefix if self.cls == "drop" else 0 :] for number in self.keep}
        return Features(x, self.grid((self.size, self.size)), seen.pooler_output, kept or None)


def _vision_config(config: Any) -> Any:
    """A dual encoder's vision half, or the configuration itself."""
    return config.vision_config if "vision_config" in config.sub_configs else config


def _taught_size(config: Any) -> int:
    """The side of the pictures the position embeddings were learned for."""
    settings = config.to_dict()
    # SigLIP 2 has no picture size, only a number of patches: it was taught on a square of them.
    return int(settings["image_size"] if "image_size" in settings else isqrt(settings["num_patches"]) * settings["patch_size"])
