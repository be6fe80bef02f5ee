"""KgCoOp: CoOp held near the hand-written text features (Yao et al. 2023, arXiv 2303.13283)."""

from __future__ import annotations

from torch import Tensor

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.losses import cosine_distance
from vistune.promptlearn.method import Call, Hyperparameters, Output
from vistune.promptlearn.methods.coop import Coop


class Kgcoop(Coop):
    """Cross-entropy + `weight` x the distance of each class feature to its frozen template feature."""

    recipe = Hyperparameters(batch=128, epochs=100)

    def __init__(self, backbone: DualEncoder, classes: Classes, *, words: str = "a photo of a", weight: float = 8.0) -> None:
        super().__init__(backbone, classes, words=words)
        self.weight = weight

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """`cross_entropy` and the weighted `knowledge` term."""
        knowledge = cosine_distance(out.text.features, call.frozen_text())
        return {**super().losses(out, call), "knowledge": self.weight * knowledge}
