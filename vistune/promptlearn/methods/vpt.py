"""VPT: learnt tokens in the image tower (Jia et al. 2022, arXiv 2203.12119), in its dual-encoder form (Khattak et al. 2023)."""

from __future__ import annotations

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.edits import EMBED, Edits, Tokens
from vistune.promptlearn.method import Call, Hyperparameters, Method, depth_in, normal, sequences


class Vpt(Method):
    """`n_tokens` appended behind the patches before the input norm and replaced before blocks 1 .. `depth` - 1.

    They have no position embedding; depth 1 is VPT-shallow. The text side is the frozen template.
    """

    recipe = Hyperparameters(lr=0.0025, batch=4, epochs=5)
    needs_vision_blocks = True

    def __init__(self, backbone: DualEncoder, *, n_tokens: int = 8, depth: int | None = None) -> None:
        super().__init__(backbone)
        self.tokens = sequences(normal(n_tokens, backbone.vision.width) for _ in range(depth_in(backbone, 12, depth)))

    def edits(self, call: Call) -> Edits:
        """Tokens at the input and before each further block."""
        edits = Edits()
        for i, values in enumerate(self.tokens):
            edits.put("vision", EMBED if i == 0 else i, Tokens(values))
        return edits
