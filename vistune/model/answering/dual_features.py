"""Features of pictures and captions from a dual encoder of `transformers`: CLIP, SigLIP, ALIGN, BLIP's retrieval model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import (
    AutoImageProcessor,
    AutoModel,
    AutoModelForImageTextToText,
    AutoModelForZeroShotImageClassification,
    AutoTokenizer,
    BlipForImageTextRetrieval,
)

from vistune.data.media.image import load_image
from vistune.errors import InputError, reading
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model
from vistune.model.weights.quiet import quiet
from vistune.sample import Media

PROMPT = "A photo depicts "
"""What CLIPScore puts before a caption (Hessel et al., EMNLP 2021, section 3)."""


class DualEncoder:
    """Reads the model once; `pictures` and `captions` give float32 features `[N, D]`, not yet of length one.

    Raises `InputError` for a folder that holds no such model, or not all of its weights.
    """

    def __init__(self, path: str | Path, revision: str | None = None, device: torch.device | None = None) -> None:
        folder = locate(str(path))
        config = read_config(str(path), folder, revision)
        if not is_dual(config):
            raise InputError(f"{path} holds a {config.model_type}, which is no dual encoder of pictures and texts")
        blip = config.model_type == "blip"
        auto: Any = BlipForImageTextRetrieval if blip else AutoModel
        with quiet():
            self._model: Any = read_model(auto, str(path), folder, config, revision, True).eval().to(device)
        self._towers: tuple[Any, Any] = (_blip if blip else _common)(self._model)
        where: Any = {"revision": revision, "trust_remote_code": False}
        with reading(f"{path} holds no image processor or tokenizer that can be read"):
            self._prepare = AutoImageProcessor.from_pretrained(folder, backend="pil", config=config, **where)
            self._tokenizer = AutoTokenizer.from_pretrained(folder, **where)
        self._tokenizer.padding_side = "right"  # the first state, or that of the first end, stands for a text
        # SigLIP was taught without a mask and reads its padding: a text is always as long as then.
        self._full = config.model_type in ("siglip", "siglip2")
        self._longest = int(config.text_config.max_position_embeddings)

    def pictures(self, paths: Sequence[Path]) -> NDArray[np.float32]:
        """Features of picture files, in order."""
        return self.media([Media.file("image", str(path)) for path in paths])

    def media(self, pictures: Sequence[Media], batch: int = 32) -> NDArray[np.float32]:
        """Features of pictures, in order."""
        found = []
        for start in range(0, len(pictures), batch):
            images = [load_image(picture).convert("RGB") for picture in pictures[start : start + batch]]
            pixels = self._prepare(images, return_tensors="pt")["pixel_values"].to(self._model.device)
            found.append(_features(self._towers[0], pixel_values=pixels))
        return np.concatenate(found)

    def captions(self, texts: Sequence[str], batch: int = 64) -> NDArray[np.float32]:
        """Features of captions as they are, cut to the model's length."""
        found = []
        padding = "max_length" if self._full else True
        for start in range(0, len(texts), batch):
            part = list(texts[start : start + batch])
            made = self._tokenizer(part, padding=padding, truncation=True, max_length=self._longest, return_tensors="pt")
            read = {name: made[name].to(self._model.device) for name in ("input_ids", "attention_mask") if name in made}
            if self._full:
                read.pop("attention_mask", None)
            found.append(_features(self._towers[1], **read))
        return np.concatenate(found)


def is_dual(config: Any) -> bool:
    """Does this configuration describe a dual encoder of pictures and texts, and nothing that writes?"""
    if config.model_type == "blip":
        return "BlipForImageTextRetrieval" in (config.architectures or ())
    known, writing = AutoModelForZeroShotImageClassification._model_mapping, AutoModelForImageTextToText._model_mapping
    return type(config) in known and type(config) not in writing


def _common(model: Any) -> tuple[Any, Any]:
    return model.get_image_features, model.get_text_features


def _blip(model: Any) -> tuple[Any, Any]:
    """BLIP's unimodal encoders (arXiv 2201.12086, section 3.1): the first state of either, projected."""

    def picture(pixel_values: Tensor) -> Any:
        return model.vision_proj(model.vision_model(pixel_values=pixel_values).last_hidden_state[:, 0])

    def text(**read: Tensor) -> Any:
        return model.text_proj(model.text_encoder(**read).last_hidden_state[:, 0])

    return picture, text


@torch.inference_mode()
def _features(tower: Any, **read: Tensor) -> NDArray[np.float32]:
    """The features of either form that `transformers` returns, a tensor or an output that holds one."""
    output = tower(**read)
    return np.asarray(getattr(output, "pooler_output", output).float().cpu().numpy())
