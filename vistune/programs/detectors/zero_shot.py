"""Zero-shot detectors of `transformers`: OWL-ViT, OWLv2, Grounding DINO."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from PIL import Image

from vistune.errors import InputError
from vistune.model.weights.assets import locate
from vistune.programs.detectors.base import Found
from vistune.sample import Region


class ZeroShot:
    """The detector `zero_shot`.

    path:  directory or hub id of an `AutoModelForZeroShotObjectDetection`; read when it is first asked
    least: score below which a box is not given
    """

    def __init__(self, path: str, least: float = 0.25) -> None:
        self._path, self._least = path, least

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

        folder = locate(self._path)
        try:
            processor = AutoProcessor.from_pretrained(folder, trust_remote_code=False, use_fast=False)
            model = AutoModelForZeroShotObjectDetection.from_pretrained(
                folder, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
            )
        except (OSError, ValueError, ImportError) as error:
            reason = " ".join(str(error).split())[:300]
            raise InputError(f"{self._path} does not open as a zero-shot detector: {reason}") from error
        return processor, model.eval()

    @torch.no_grad()
    def find(self, picture: Image.Image, names: Sequence[str]) -> list[Found]:
        """See `Detector`."""
        asked = list(dict.fromkeys(names))
        if not asked:
            return []
        processor, model = self._parts
        grounding = model.config.model_type in ("grounding-dino", "mm-grounding-dino")
        text = "".join(f"{name.lower()}. " for name in asked).strip() if grounding else [asked]
        inputs = processor(images=picture, text=text, return_tensors="pt")
        outputs = model(**inputs)
        sizes = torch.tensor([picture.size[::-1]])
        if grounding:
            given: dict[str, Any] = {"input_ids": inputs["input_ids"], "text_threshold": self._least}
        else:
            given = {"text_labels": [asked]}
        post = processor.post_process_grounded_object_detection
        result = post(outputs, threshold=self._least, target_sizes=sizes, **given)[0]
        return sorted(_found(result, picture.size), key=lambda one: -one.score)


def _found(result: Any, size: tuple[int, int]) -> list[Found]:
    width, height = size
    scale = torch.tensor([width, height, width, height])
    boxes = (result["boxes"] / scale).clamp(0, 1).tolist()
    return [
        Found(Region(box=(box[0], box[1], max(box[0], box[2]), max(box[1], box[3])), label=str(label)), float(score))
        for box, label, score in zip(boxes, result["text_labels"], result["scores"], strict=True)
    ]
