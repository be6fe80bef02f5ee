"""LASP: learnt prompts told apart by hand-written ones, text to text (Bulat and Tzimiropoulos 2023, arXiv 2210.01115)."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.encoded import Encoded
from vistune.promptlearn.method import Call, Method, Output, Recipe, initial_context, prompt
from vistune.promptlearn.methods.twosfs import BlockNorms
from vistune.promptlearn.templates import IMAGENET_SUBSET

NOISE = 0.05  # on a reference feature, half of the time


class Lasp(Method):
    """Context "a photo of a", a shared bias on every class feature, block norms of the image tower at a tenth of the rate.

    The text-to-text loss classifies each hand-written feature (one a template and class) among the learnt class features.
    `virtual` are names of further classes, of which no image is needed, that take part in that loss (LASP-V).
    """

    recipe = Recipe(lr=0.032, batch=32, epochs=50, warm_up=3, clip=1.0)

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        words: str = "a photo of a",
        templates: list[str] | None = None,
        virtual: list[str] | None = None,
        weight: float = 5.0,
        norms: bool = True,
    ) -> None:
        super().__init__(backbone)
        self.ctx = initial_context(backbone, words, len(backbone.tokenizer(words)))
        self.bias = nn.Parameter(torch.zeros(backbone.embed_dim))
        self.norms = BlockNorms(backbone, "vision") if norms else None
        self.words, self.weight = words, weight
        self.templates = templates or list(IMAGENET_SUBSET)
        self.virtual = tuple(virtual or ())

    def edits(self, call: Call) -> Edits:
        """Context, bias on the class features, norms of the image tower."""

        def biased(text: Encoded) -> Tensor:
            return text.pooled + self.bias

        norms = self.norms.edits() if self.norms is not None else {}
        return Edits(contexts=(prompt(self.ctx, self.words, call.classes),), features={"text": biased}, norms=norms)

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """`cross_entropy` on images and the weighted `text_to_text`."""
        learnt, classes = out.text.features, call.classes
        extra = tuple(name for name in self.virtual if name not in classes.names)
        if extra:
            classes = replace(classes, names=(*classes.names, *extra))
            learnt = call.engine.text(classes, self.edits(call)).features
        references = unit(call.engine.frozen_templates(classes, self.templates))
        noisy = torch.rand(references.shape[:2], device=references.device) < 0.5
        references = torch.where(noisy[..., None], references + NOISE * torch.randn_like(references), references)
        logits = call.backbone.logits(references.flatten(0, 1), learnt)
        target = torch.arange(len(classes), device=logits.device).repeat(len(self.templates))
        return {**super().losses(out, call), "text_to_text": self.weight * F.cross_entropy(logits, target)}

    def groups(self, lr: float) -> list[dict[str, object]]:
        """The norms learn at a tenth of the rate."""
        slow = list(self.norms.parameters()) if self.norms is not None else []
        return [{"params": [self.ctx, self.bias], "lr": lr}, *([{"params": slow, "lr": 0.1 * lr}] if slow else [])]
