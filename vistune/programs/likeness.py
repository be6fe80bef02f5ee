"""How much pictures and texts are alike, by a dual encoder (CLIP, SigLIP)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from vistune.model.weights.assets import locate


class Likeness:
    """A dual encoder by directory, hub id or `builtin:NAME`; read when it is first asked."""

    def __init__(self, path: str = "builtin:clip") -> None:
        self._path = path

    @cached_property
    def _encoder(self) -> Any:
        from vistune.promptlearn.backbone import load

        return load(str(locate(self._path)))

    @torch.no_grad()
    def pictures(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Unit features `[P, E]` of RGB pictures, each squashed to the encoder's square."""
        from vistune.promptlearn.backbone import unit
        from vistune.promptlearn.pictures.pixels import normalised, squashed

        encoder = self._encoder
        pixels = normalised([squashed(picture, encoder.image_size) for picture in pictures], encoder)
        return unit(_pooled(encoder.model.get_image_features(pixel_values=pixels)))

    @torch.no_grad()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """Unit features `[T, E]`; a text that is too long is cut."""
        from vistune.promptlearn.backbone import unit

        encoder = self._encoder
        longest = encoder.context_length
        ids = encoder.tokenizer.tokenizer(
            list(texts), padding="max_length", truncation=True, max_length=longest, return_tensors="pt"
        )
        given = {"input_ids": ids["input_ids"]}
        # SigLIP was taught without a mask and reads its padding.
        if encoder.family == "clip":
            given["attention_mask"] = ids["attention_mask"]
        return unit(_pooled(encoder.model.get_text_features(**given)))

    def scores(self, pictures: Sequence[Image.Image], texts: Sequence[str]) -> Tensor:
        """Logits `[P, T]`: cosines times the encoder's temperature."""
        return self.pictures(pictures) @ self.texts(texts).T * float(self._encoder.scale)


def _pooled(features: Any) -> Tensor:
    """Some versions of `transformers` give an output with the features in it, others the features."""
    return torch.as_tensor(features if isinstance(features, Tensor) else features.pooler_output)
