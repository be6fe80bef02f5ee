"""IVLP: deep prompts in both towers, learnt independently (Rasheed et al. 2023, arXiv 2212.03640)."""

from __future__ import annotations

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.edits import EMBED, Edits, Tokens
from vistune.promptlearn.method import Call, Hyperparameters, Method, depth_in, initial_context, normal, prompt, sequences


class Ivlp(Method):
    """Context in the text input, replaced before text blocks 1 .. `depth_text` - 1; tokens in the image tower as in VPT.

    With fewer vectors than the words have tokens only the first words are overwritten: `[v1][v2] of a cat.`
    `depth_vision` 0 leaves the image tower alone.
    """

    recipe = Hyperparameters(lr=0.0035, batch=4, epochs=5)
    needs_vision_blocks = True

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        n_text: int = 2,
        n_vision: int = 2,
        depth_text: int | None = None,
        depth_vision: int | None = None,
        words: str | None = "a photo of a",
    ) -> None:
        super().__init__(backbone)
        self.ctx = initial_context(backbone, words, n_text)
        self.words = words
        self.deep_text = sequences(normal(n_text, backbone.text.width) for _ in range(depth_in(backbone, 12, depth_text) - 1))
        self.vision = sequences(
            normal(n_vision, backbone.vision.width)
            for _ in range(0 if depth_vision == 0 else depth_in(backbone, 12, depth_vision))
        )

    def edits(self, call: Call) -> Edits:
        """Context, deep text slots, visual tokens."""
        edits = Edits(contexts=(prompt(self.ctx, self.words, call.classes),))
        for block, values in enumerate(self.deep_text, 1):
            edits.put("text", block, Tokens(values, group="slot"))
        for i, values in enumerate(self.vision):
            edits.put("vision", EMBED if i == 0 else i, Tokens(values))
        return edits
