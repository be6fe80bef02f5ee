"""A teacher of distillation: a (larger) dual encoder, with its prompt ensemble or with a method that was tuned on it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder, load, unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.engine import Engine, ensemble
from vistune.promptlearn.method import Call, Method
from vistune.promptlearn.pictures.images import Images
from vistune.promptlearn.templates import IMAGENET_SUBSET


class Teacher:
    """Class weights and logits of a frozen encoder (`method` none: its prompt ensemble) or of a tuned method."""

    def __init__(self, engine: Engine, method: Method | None = None) -> None:
        self.engine, self.method = engine, method
        self._weights: dict[tuple[str, ...], Tensor] = {}

    def class_weights(self, classes: Classes) -> Tensor:
        """Unit class features `[N, E]`."""
        if classes.names not in self._weights:
            with torch.no_grad():
                self._weights[classes.names] = self._encoded(classes)
        return self._weights[classes.names]

    def _encoded(self, classes: Classes) -> Tensor:
        if self.method is None:
            return ensemble(self.engine.frozen_templates(classes, IMAGENET_SUBSET))
        return unit(self.engine.text(classes, self.method.edits(Call(self.engine, classes))).features)

    def logits(self, images: Images, classes: Classes) -> Tensor:
        """Logits `[B, N]`, scaled by the teacher's own temperature, without gradients."""
        with torch.no_grad():
            call = Call(self.engine, classes, images)
            image = self.engine.image(images, self.method.edits(call)) if self.method else self.engine.image(images)
            return self.engine.backbone.logits(image.features, self.class_weights(classes))


def open_teacher(backbone: DualEncoder, model: str | None, tuned: str | None) -> Teacher | None:
    """The teacher named by a directory or hub id, and by the result file of a run on it; none when both are missing.

    Raises `InputError` for a teacher of another image size, and for a method whose class features need images.
    """
    if model is None and tuned is None:
        return None
    other = load(model).to(backbone.device) if model is not None else backbone
    # Both read the same tensor of pixels, prepared once.
    if (other.image_size, other.mean, other.std) != (backbone.image_size, backbone.mean, backbone.std):
        raise InputError(
            f"teacher {other.identity} reads images of {other.image_size} pixels normalised by {other.mean} / {other.std}, "
            f"the student of {backbone.image_size} by {backbone.mean} / {backbone.std}: both must read the same"
        )
    method = None
    if tuned is not None:
        from vistune.promptlearn.experiments.experiment import restore

        method = restore(Path(tuned), other).requires_grad_(False)
    # Features of two encoders lie in one bank; the scope keeps their entries apart.
    return Teacher(Engine(other, scope="" if other is backbone else "teacher "), method)
