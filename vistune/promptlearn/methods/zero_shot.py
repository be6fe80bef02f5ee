"""CLIP zero-shot, with one template or an ensemble of them (Radford et al. 2021, section 3.1.4)."""

from __future__ import annotations

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.engine import ensemble
from vistune.promptlearn.method import Call, Hyperparameters, Method


class ZeroShot(Method):
    """Nothing is learnt. `templates` replaces the classes' own template by the mean of unit features over several."""

    recipe = Hyperparameters(epochs=0)

    def __init__(self, backbone: DualEncoder, *, templates: list[str] | None = None) -> None:
        super().__init__(backbone)
        self.templates = templates

    def edits(self, call: Call) -> Edits:
        """Class weights from the templates; no edit at all with the classes' own."""
        if self.templates is None:
            return Edits()
        return Edits(class_weights=ensemble(call.engine.frozen_templates(call.classes, self.templates)))
