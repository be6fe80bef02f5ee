"""MaPLe: deep prompts of both towers, the visual ones projected from the textual (Khattak et al. 2023, arXiv 2210.03117)."""

from __future__ import annotations

from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.edits import EMBED, Edits, Tokens
from vistune.promptlearn.method import Call, Hyperparameters, Method, depth_in, initial_context, normal, prompt, sequences


class Maple(Method):
    """`depth` sets of `n_ctx` text vectors (input, blocks 1 .. depth - 1), each with a Linear to the image tower."""

    recipe = Hyperparameters(lr=0.0035, batch=4, epochs=5)
    needs_vision_blocks = True

    def __init__(
        self, backbone: DualEncoder, *, n_ctx: int = 2, depth: int | None = None, words: str | None = "a photo of a"
    ) -> None:
        super().__init__(backbone)
        depth = depth_in(backbone, 9, depth)
        self.ctx = initial_context(backbone, words, n_ctx)
        self.words = words
        self.deep = sequences(normal(n_ctx, backbone.text.width) for _ in range(depth - 1))
        self.couplings = nn.ModuleList(nn.Linear(backbone.text.width, backbone.vision.width) for _ in range(depth))

    def visual(self) -> list[Tensor]:
        """The visual tokens `[M, width]` of each depth."""
        return [coupling(text) for coupling, text in zip(self.couplings, [self.ctx, *self.deep], strict=True)]

    def edits(self, call: Call) -> Edits:
        """Context and deep text slots, and what they become in the image tower."""
        edits = Edits(contexts=(prompt(self.ctx, self.words, call.classes),))
        for block, values in enumerate(self.deep, 1):
            edits.put("text", block, Tokens(values, group="slot"))
        for i, values in enumerate(self.visual()):
            edits.put("vision", EMBED if i == 0 else i, Tokens(values))
        return edits
