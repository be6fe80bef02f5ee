"""CoCoOp: a context shifted by each image (Zhou et al. 2022, arXiv 2203.05557)."""

from __future__ import annotations

from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.method import Call, Hyperparameters, Method, initial_context, prompt


class Cocoop(Method):
    """A bottleneck of the unit image feature, added to every context vector; the text tower runs once an image and class."""

    recipe = Hyperparameters(batch=1, epochs=10)

    def __init__(self, backbone: DualEncoder, *, words: str = "a photo of a", reduction: int = 16) -> None:
        super().__init__(backbone)
        self.ctx = initial_context(backbone, words, len(backbone.tokenizer(words)))
        self.words = words
        hidden = backbone.embed_dim // reduction
        self.meta_net = nn.Sequential(nn.Linear(backbone.embed_dim, hidden), nn.ReLU(), nn.Linear(hidden, backbone.text.width))

    def shift(self, call: Call) -> Tensor:
        """What each image adds to the context `[B, d]`."""
        shift: Tensor = self.meta_net(unit(call.frozen_image()))
        return shift

    def edits(self, call: Call) -> Edits:
        """One context an image."""
        return Edits(contexts=(prompt(self.ctx + self.shift(call)[:, None], self.words, call.classes, per="row"),))
