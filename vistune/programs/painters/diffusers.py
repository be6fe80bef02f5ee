"""Any text-to-image pipeline of `diffusers`, by directory or hub id."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch

from vistune.errors import InputError, MissingExtraError
from vistune.sample import Media


class Diffusers:
    """The painter `diffusers`. `steps` of the sampler, `guidance`, and the `seed` that every picture begins with."""

    def __init__(self, path: str, steps: int = 30, guidance: float = 7.5, seed: int = 0) -> None:
        self._path, self._steps, self._guidance, self._seed = path, steps, guidance, seed

    @cached_property
    def _pipeline(self) -> Any:
        try:
            from diffusers import AutoPipelineForText2Image
        except ImportError as error:
            raise MissingExtraError("diffusers", "paint", "painting") from error
        try:
            pipeline = AutoPipelineForText2Image.from_pretrained(self._path, use_safetensors=True, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise InputError(f"{self._path} does not open as a painter: {' '.join(str(error).split())[:300]}") from error
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def paint(self, kind: str, description: str) -> Media:
        """See `Painter`."""
        if kind != "image":
            raise InputError(f"this painter makes pictures, no {kind}")
        generator = torch.Generator().manual_seed(self._seed)
        result = self._pipeline(
            description, num_inference_steps=self._steps, guidance_scale=self._guidance, generator=generator, output_type="np"
        )
        return Media("image", data=np.rint(255 * np.clip(result.images[0], 0, 1)).astype(np.uint8))
