"""PromptKD: a student's image tower learns a teacher's predictions on unlabelled images (Li et al. 2024, arXiv 2403.02781)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, load
from vistune.promptlearn.edits import EMBED, Edits, Tokens
from vistune.promptlearn.engine import Engine, ensemble
from vistune.promptlearn.images import Bank, Images
from vistune.promptlearn.losses import divergence_per_entry
from vistune.promptlearn.method import Call, Disclosure, Method, Recipe, depth_in, normal, sequences
from vistune.promptlearn.shots import Shots
from vistune.promptlearn.templates import IMAGENET_SUBSET


class Promptkd(Method):
    """Deep visual tokens and a projector to the teacher's width; class weights are the teacher's, no student text tower runs.

    `teacher` is a directory or hub id of a (larger) CLIP whose prompt ensemble stands in for the paper's tuned ViT-L/14;
    without one the backbone teaches itself. The projector's 1x1 convolutions are Linears on one vector an image.
    """

    recipe = Recipe(lr=0.005, batch=8, epochs=20)
    disclosure = Disclosure(unlabelled_novel=True, larger_teacher=True, tuned_on_test=False)

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        n_tokens: int = 4,
        depth: int | None = None,
        teacher: str | None = None,
        teacher_dim: int | None = None,
        weight: float = 1000.0,
    ) -> None:
        super().__init__(backbone)
        self._teacher = Engine(load(teacher)) if teacher is not None else None
        width = teacher_dim or (self._teacher.backbone if self._teacher else backbone).embed_dim
        self.tokens = sequences(normal(n_tokens, backbone.vision.width) for _ in range(depth_in(backbone, 9, depth)))
        self.projector = nn.Sequential(
            nn.Linear(backbone.embed_dim, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width)
        )
        self.weight = weight
        self._shots: Shots | None = None

    def edits(self, call: Call) -> Edits:
        """Visual tokens, the projector, the teacher's class weights."""
        teacher = self._teacher or call.engine
        edits = Edits(class_weights=ensemble(teacher.frozen_templates(call.classes, IMAGENET_SUBSET)))
        edits.features["vision"] = lambda image: self.projector(image.pooled)
        edits.logits = lambda image, text: teacher.backbone.logits(image.features, text.features)
        for i, values in enumerate(self.tokens):
            edits.put("vision", EMBED if i == 0 else i, Tokens(values))
        return edits

    def prepare(self, shots: Shots) -> None:
        """Remember where the unlabelled images are."""
        self._shots = shots

    def training_losses(self, call: Call) -> dict[str, Tensor]:
        """`distillation` on unlabelled images of taught and new classes; labels are not looked at."""
        if self._shots is not None and self._shots.unlabelled is not None:
            bank: Bank = self._shots.unlabelled
            images = Images(bank=bank, ids=torch.randint(bank.size, (len(call.batch),)))
            call = Call(call.engine, self._shots.everything or call.classes, images)
        teacher = self._teacher or call.engine
        out = self(call)
        with torch.no_grad():
            target = teacher.backbone.logits(teacher.image(call.batch).pooled, out.text.features)
        return {"distillation": self.weight * divergence_per_entry(out.logits, target)}
