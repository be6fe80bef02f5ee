"""CasPL: domain prompts from unlabelled images first, then frozen beside a method's own (Wu et al. 2024, arXiv 2409.17805)."""

from __future__ import annotations

import torch
from torch import Tensor

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.edits import EMBED, Edits, Tokens
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.losses import distillation
from vistune.promptlearn.method import Call, Disclosure, Method, Phase, depth_in, normal, sequences
from vistune.promptlearn.pictures.images import Bank, Images
from vistune.promptlearn.plugin import Plugin
from vistune.promptlearn.teacher import Teacher, open_teacher

BOOST = "boost"


class Caspl(Plugin):
    """First `n_boost` deep tokens a tower, distilled from a teacher's prompt ensemble on unlabelled images; then the method.

    `teacher` is a directory or hub id of a CLIP, the larger the better; without one the backbone teaches itself. Only a
    README was released: placement (behind SOS in the text, behind the patches in the image) is read from the paper.
    """

    disclosure = Disclosure(unlabelled_novel=True, larger_teacher=True)
    stages = (Phase("boosting", 0.5, ("boost_",)), Phase("adapting", 0.5, ("inner",)))
    needs_causal_text = True
    needs_vision_blocks = True

    def __init__(
        self, backbone: DualEncoder, inner: Method, *, n_boost: int = 4, depth: int | None = None, teacher: str | None = None
    ) -> None:
        super().__init__(backbone, inner)
        depth = depth_in(backbone, 9, depth)
        self.boost_text = sequences(normal(n_boost, backbone.text.width) for _ in range(depth))
        self.boost_vision = sequences(normal(n_boost, backbone.vision.width) for _ in range(depth))
        self._teacher = open_teacher(backbone, teacher, None)
        self._shots: Shots | None = None
        self._boosting = False

    def boosted(self, edits: Edits) -> Edits:
        """Edits with the domain tokens added."""
        for block, (text, vision) in enumerate(zip(self.boost_text, self.boost_vision, strict=True)):
            edits.put("text", block, Tokens(text, BOOST, "after_first"))
            edits.put("vision", EMBED if block == 0 else block, Tokens(vision, BOOST))
        return edits

    def edits(self, call: Call) -> Edits:
        """The domain tokens, with the inner method's edits once it learns."""
        return self.boosted(Edits() if self._boosting else super().edits(call))

    def start_stage(self, stage: Phase, shots: Shots) -> None:
        """Remember where the unlabelled images are."""
        super().start_stage(stage, shots)
        self._boosting, self._shots = stage.name == "boosting", shots

    def training_losses(self, call: Call) -> dict[str, Tensor]:
        """`distillation` on unlabelled images in the first stage, the inner terms in the second."""
        if not self._boosting or self._shots is None:
            return super().training_losses(call)
        shots = self._shots
        bank: Bank = shots.unlabelled or shots.bank
        images = Images(bank=bank, ids=torch.randint(bank.size, (len(call.batch),)))
        everything = Call(call.engine, shots.everything or shots.classes, images)
        target = (self._teacher or Teacher(call.engine)).logits(images, everything.classes)
        return {"distillation": distillation(self(everything).logits, target)}
