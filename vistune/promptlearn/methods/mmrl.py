"""MMRL: representation tokens shared by both towers (Guo and Gu 2025, arXiv 2503.08497)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import Edits, Tokens
from vistune.promptlearn.losses import cosine_distance
from vistune.promptlearn.method import Call, Disclosure, Hyperparameters, Method, Output, block_in, normal
from vistune.promptlearn.towers.encoded import Encoded

REP = "rep"
SCALE = 100.0  # the release fixes the temperature instead of reading the backbone's


class Mmrl(Method):
    """`n_tokens` vectors of width `dim`, mapped by a Linear a block to tokens inserted after the first one of both towers.

    They are inserted before block `first` (0-based) and replaced before every later one. The class token keeps the frozen
    projection, the mean representation token has a learnt one of its own; taught classes are answered by
    `alpha` x class logits + (1 - `alpha`) x representation logits, new classes by the class logits alone.
    """

    recipe = Hyperparameters(optimizer="adamw", lr=0.001, batch=4, epochs=10, weight_decay=0.01, crop=(0.5, 1.0))
    disclosure = Disclosure(told_split=True)
    needs_causal_text = True
    needs_class_token = True
    needs_vision_blocks = True

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        n_tokens: int = 5,
        dim: int = 512,
        first: int | None = None,
        alpha: float = 0.7,
        weight: float = 0.5,
    ) -> None:
        super().__init__(backbone)
        text, vision = backbone.text, backbone.vision
        self.layers = range(block_in(backbone, 5, first), min(len(text.blocks), len(vision.blocks)))
        self.alpha, self.weight = alpha, weight
        self.rep = normal(n_tokens, dim)
        self.to_text = nn.ModuleList(nn.Linear(dim, text.width) for _ in self.layers)
        self.to_vision = nn.ModuleList(nn.Linear(dim, vision.width) for _ in self.layers)
        self.projection = normal(vision.width, backbone.embed_dim, std=vision.width**-0.5)

    def edits(self, call: Call) -> Edits:
        """Tokens in the upper blocks of both towers; the image's are read out."""
        edits = Edits(read={"vision": (REP,)}, logits=lambda image, text: self.answer(image, text, call))
        for layer, text, vision in zip(self.layers, self.to_text, self.to_vision, strict=True):
            edits.put("text", layer, Tokens(text(self.rep), group=REP, where="after_first"))
            edits.put("vision", layer, Tokens(vision(self.rep), group=REP, where="after_first"))
        return edits

    def rep_features(self, image: Encoded, call: Call) -> Tensor:
        """`[B, E]`: the mean over representation tokens after the final norm, through the learnt projection."""
        mean: Tensor = call.backbone.vision.final_norm(image.groups[REP]).mean(1)
        return mean @ self.projection

    def both(self, image: Encoded, text: Encoded, call: Call) -> tuple[Tensor, Tensor]:
        """Class-token logits and representation logits `[B, N]`."""
        t = unit(text.features)
        return SCALE * (unit(image.features) @ t.T), SCALE * (unit(self.rep_features(image, call)) @ t.T)

    def answer(self, image: Encoded, text: Encoded, call: Call) -> Tensor:
        """The two heads mixed for taught classes, the class head for new ones."""
        by_class, by_rep = self.both(image, text, call)
        # The representation head was taught on the seen classes alone, and would pull new ones towards them.
        return self.alpha * by_class + (1 - self.alpha) * by_rep if call.classes.split == "seen" else by_class

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """Both cross-entropies and the distance of both features to the frozen ones, weighted."""
        by_class, by_rep = self.both(out.image, out.text, call)
        return {
            "cross_entropy": self.alpha * F.cross_entropy(by_class, call.target),
            "cross_entropy_rep": (1 - self.alpha) * F.cross_entropy(by_rep, call.target),
            "image_cosine": self.weight * cosine_distance(out.image.features, call.frozen_image()),
            "text_cosine": self.weight * cosine_distance(out.text.features, call.frozen_text()),
        }
