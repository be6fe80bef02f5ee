"""Features of pictures and captions from a dual encoder of `transformers` (CLIP, SigLIP) in a local folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.model.weights.assets import locate
from vistune.sample import Media

PROMPT = "A photo depicts "
"""What CLIPScore puts before a caption (Hessel et al., EMNLP 2021, section 3)."""


class DualEncoder:
    """Reads the model once; `pictures` and `captions` give float32 features `[N, D]`, not yet of length one.

    Raises `InputError` for a folder that holds no such model.
    """

    def __init__(self, path: str | Path) -> None:
        import torch
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        folder = locate(str(path))
        where = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._model = AutoModel.from_pretrained(folder, **where).eval()
            self._prepare = AutoImageProcessor.from_pretrained(folder, **where)
            self._tokenizer = AutoTokenizer.from_pretrained(folder, **where)
        except (OSError, ValueError) as error:
            raise InputError(
                f"{path} holds no model with image processor and tokenizer: {str(error).splitlines()[0]}"
            ) from error
        if not hasattr(self._model, "get_image_features"):
            raise InputError(f"{path} holds a {type(self._model).__name__}, which is no dual encoder of pictures and texts")
        self._torch = torch

    def pictures(self, paths: Sequence[Path]) -> NDArray[np.float32]:
        """Features of picture files, in order."""
        return self.media([Media.file("image", str(path)) for path in paths])

    def media(self, pictures: Sequence[Media], batch: int = 32) -> NDArray[np.float32]:
        """Features of pictures, in order."""
        found = []
        for start in range(0, len(pictures), batch):
            images = [load_image(picture).convert("RGB") for picture in pictures[start : start + batch]]
            with self._torch.inference_mode():
                found.append(_features(self._model.get_image_features(**self._prepare(images, return_tensors="pt"))))
        return np.concatenate(found)

    def captions(self, texts: Sequence[str], batch: int = 64) -> NDArray[np.float32]:
        """Features of captions as they are, cut to the model's length."""
        found = []
        for start in range(0, len(texts), batch):
            tokens = self._tokenizer(list(texts[start : start + batch]), padding=True, truncation=True, return_tensors="pt")
            with self._torch.inference_mode():
                found.append(_features(self._model.get_text_features(**tokens)))
        return np.concatenate(found)


def _features(output: object) -> NDArray[np.float32]:
    """The features of either form that `transformers` returns, a tensor or an output that holds one."""
    tensor = getattr(output, "pooler_output", output)
    return np.asarray(tensor.float().numpy())  # type: ignore[attr-defined]
