"""PromptKD: a student's image tower learns a teacher's predictions on unlabelled images (Li et al. 2024, arXiv 2403.02781)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.edits import EMBED, Edits, Tokens
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.losses import divergence_per_entry
from vistune.promptlearn.method import Call, Disclosure, Hyperparameters, Method, Output, depth_in, normal, sequences
from vistune.promptlearn.pictures.images import Bank, Images
from vistune.promptlearn.teacher import Teacher, open_teacher


class Promptkd(Method):
    """Deep visual tokens and a projector to the teacher's width; class weights are the teacher's, no student text tower runs.

    `teacher` is a directory or hub id of a (larger) CLIP; without one the backbone teaches itself. `tuned` is the result file
    of a `vistune promptlearn run` on that teacher, whose method then gives class weights and soft targets: the release uses
    PromptSRC on ViT-L/14, taught on the base classes. Without it the teacher's prompt ensemble stands in.
    Targets carry the teacher's logit scale; the student's logits carry the student's as released, or the teacher's
    (`scale`). The projector's 1x1 convolutions are Linears on one vector an image.
    """

    recipe = Hyperparameters(lr=0.005, batch=8, epochs=20)
    disclosure = Disclosure(unlabelled_novel=True, larger_teacher=True, tuned_on_test=False)
    needs_vision_blocks = True

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        n_tokens: int = 4,
        depth: int | None = None,
        teacher: str | None = None,
        tuned: str | None = None,
        teacher_dim: int | None = None,
        weight: float = 1000.0,
        temperature: float = 1.0,
        scale: Literal["student", "teacher"] = "student",
    ) -> None:
        super().__init__(backbone)
        self._teacher = open_teacher(backbone, teacher, tuned)
        width = teacher_dim or (self._teacher.engine.backbone if self._teacher else backbone).embed_dim
        self.tokens = sequences(normal(n_tokens, backbone.vision.width) for _ in range(depth_in(backbone, 9, depth)))
        self.projector = nn.Sequential(
            nn.Linear(backbone.embed_dim, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width)
        )
        self.weight, self.temperature, self.scale = weight, temperature, scale
        self._shots: Shots | None = None

    def teacher(self, call: Call) -> Teacher:
        """The teacher given, or the backbone itself."""
        return self._teacher or Teacher(call.engine)

    def class_weights(self, call: Call) -> Tensor:
        """The teacher's unit class features `[N, E]`."""
        return self.teacher(call).class_weights(call.classes)

    def targets(self, call: Call) -> Tensor:
        """The teacher's logits `[B, N]` of the batch."""
        return self.teacher(call).logits(call.batch, call.classes)

    def edits(self, call: Call) -> Edits:
        """Visual tokens, the projector, the teacher's class weights."""
        scaled = call.backbone if self.scale == "student" else self.teacher(call).engine.backbone
        edits = Edits(class_weights=self.class_weights(call))
        edits.features["vision"] = lambda image: self.projector(image.pooled)
        edits.logits = lambda image, text: scaled.logits(image.features, text.features)
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
        return self.losses(self(call), call)

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """`distillation` of the call's own images; its labels are not looked at."""
        return {"distillation": self.weight * divergence_per_entry(out.logits, self.targets(call), self.temperature)}
