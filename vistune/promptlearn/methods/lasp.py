"""LASP: learnt prompts told apart by hand-written ones, text to text (Bulat and Tzimiropoulos 2023, arXiv 2210.01115)."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.method import Call, Hyperparameters, Method, Output, initial_context, prompt
from vistune.promptlearn.methods.twosfs import BlockNorms
from vistune.promptlearn.templates import LASP_TEMPLATES
from vistune.promptlearn.towers.encoded import Encoded


class Lasp(Method):
    """Context "a photo of a", a shared bias on every class feature, block norms of the image tower at a tenth of the rate.

    The text-to-text loss classifies each hand-written feature (one a template and class) among the learnt class features. In
    half of the training steps all unit references get normal noise of size `noise`; they are not made unit again.
    `virtual` are names of further classes, of which no image is needed, that take part in that loss; with `widen` (LASP-V) they
    also stand among the classes an image is told from. Predictions are among the classes asked for.
    """

    recipe = Hyperparameters(lr=0.032, batch=32, epochs=25, warm_up=3, clip=1.0)

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        words: str = "a photo of a",
        templates: list[str] | None = None,
        virtual: list[str] | None = None,
        widen: bool = True,
        weight: float = 5.0,
        noise: float = 0.05,
        norms: bool = True,
    ) -> None:
        super().__init__(backbone)
        self.ctx = initial_context(backbone, words, len(backbone.tokenizer(words)))
        self.bias = nn.Parameter(torch.zeros(backbone.embed_dim))
        if norms and not backbone.has_blocks:
            raise InputError(
                f"LASP teaches the norms of a vision transformer, and {backbone.identity} has a ResNet: norms=false"
            )
        self.norms = BlockNorms(backbone, "vision") if norms else None
        self.words, self.weight, self.noise = words, weight, noise
        self.templates = templates or list(LASP_TEMPLATES)
        self.virtual, self.widen = tuple(virtual or ()), widen

    def edits(self, call: Call) -> Edits:
        """Context, bias on the class features, norms of the image tower."""

        def biased(text: Encoded) -> Tensor:
            return text.pooled + self.bias

        norms = self.norms.edits() if self.norms is not None else {}
        return Edits(contexts=(prompt(self.ctx, self.words, call.classes),), features={"text": biased}, norms=norms)

    def widened(self, classes: Classes) -> Classes:
        """The classes and the virtual ones behind them."""
        return replace(classes, names=(*classes.names, *(name for name in self.virtual if name not in classes.names)))

    def forward(self, call: Call, text: Encoded | None = None) -> Output:
        """Run the towers; with `widen` the logits have columns for the virtual classes behind the others."""
        wide = replace(call, classes=self.widened(call.classes)) if self.widen and text is None else call
        return super().forward(wide, text)

    def predict(self, call: Call, text: Encoded | None = None) -> Tensor:
        """Logits `[B, N]` of the classes asked for."""
        return super().predict(call, text)[:, : len(call.classes)]

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """`cross_entropy` on images and the weighted `text_to_text`."""
        learnt, classes = out.text.features, self.widened(call.classes)
        if len(learnt) != len(classes):
            learnt = call.engine.text(classes, self.edits(call)).features
        references = self.disturbed(unit(call.engine.frozen_templates(classes, self.templates)))
        logits = call.backbone.scale * unit(learnt) @ references.mT  # [templates, learnt, reference]
        target = torch.arange(len(classes), device=logits.device).expand(len(references), -1)
        return {**super().losses(out, call), "text_to_text": self.weight * F.cross_entropy(logits, target)}

    def disturbed(self, references: Tensor) -> Tensor:
        """The unit references `[T, N, E]`, in half of the training steps with noise on all of them."""
        if not self.training or torch.rand(1).item() >= 0.5:
            return references
        return references + self.noise * torch.randn_like(references)

    def groups(self, lr: float) -> list[dict[str, object]]:
        """The norms learn at a tenth of the rate."""
        slow = list(self.norms.parameters()) if self.norms is not None else []
        return [{"params": [self.ctx, self.bias], "lr": lr}, *([{"params": slow, "lr": 0.1 * lr}] if slow else [])]
