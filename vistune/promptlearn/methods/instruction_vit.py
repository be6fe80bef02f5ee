"""Instruction-ViT: the classes stand as tokens inside the image tower (Xiao et al. 2023, arXiv 2305.00201)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import EMBED, Edits, Tokens
from vistune.promptlearn.method import Call, Disclosure, Hyperparameters, Method, Output, rows
from vistune.promptlearn.towers.encoded import Encoded

CLASS = "class"


class InstructionVit(Method):
    """Each class's frozen text feature, through one Linear, is a token behind the patches; a Linear classifier stands beside.

    The score of a class is the cosine between the class token and that class's token after the last block. Taught classes are
    answered by both heads summed, new ones by the cosine. The paper teaches the whole tower; here it stays frozen.
    """

    recipe = Hyperparameters(optimizer="adamw", lr=0.001, batch=32, epochs=50, weight_decay=0.01)
    disclosure = Disclosure(told_split=True)
    needs_class_token = True
    needs_vision_blocks = True

    def __init__(self, backbone: DualEncoder, classes: Classes) -> None:
        super().__init__(backbone)
        self.taught = classes.names
        self.to_token = nn.Linear(backbone.embed_dim, backbone.vision.width)
        self.head = nn.Linear(backbone.embed_dim, len(classes))

    def edits(self, call: Call) -> Edits:
        """One token a class, read out again."""
        frozen = unit(call.frozen_text())
        edits = Edits(read={"vision": (CLASS,)}, class_weights=frozen)
        edits.put("vision", EMBED, Tokens(self.to_token(frozen), group=CLASS))

        def logits(image: Encoded, text: Encoded) -> Tensor:
            cosine = self.cosine(image, call)
            return cosine + self.linear(image, call) if call.classes.split == "seen" else cosine

        edits.logits = logits
        return edits

    def cosine(self, image: Encoded, call: Call) -> Tensor:
        """Scaled cosine `[B, N]` between the pooled image and every class's token."""
        tokens = call.backbone.vision.project(image.groups[CLASS])
        return call.backbone.logits(image.features, tokens)

    def linear(self, image: Encoded, call: Call) -> Tensor:
        """Scores `[B, N]` of the classifier for the classes of the call."""
        scores: Tensor = self.head(image.features)
        return scores[:, rows(self.taught, call.classes, "Instruction-ViT")]

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """Cross-entropy of either head."""
        return {
            "cosine": F.cross_entropy(self.cosine(out.image, call), call.target),
            "linear": F.cross_entropy(self.linear(out.image, call), call.target),
        }
