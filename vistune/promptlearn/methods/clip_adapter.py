"""CLIP-Adapter: a bottleneck behind the image tower (Gao et al. 2021, arXiv 2110.04544)."""

from __future__ import annotations

from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.method import Call, Hyperparameters, Method
from vistune.promptlearn.towers.encoded import Encoded


def bottleneck(width: int, reduction: int) -> nn.Sequential:
    """Linear, ReLU, Linear, ReLU without biases; `width` in and out."""
    hidden = width // reduction
    return nn.Sequential(nn.Linear(width, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, width, bias=False), nn.ReLU())


class ClipAdapter(Method):
    """f = `ratio` x A(f) + (1 - `ratio`) x f on the raw image feature (without biases the length plays no part)."""

    recipe = Hyperparameters(epochs=200)

    def __init__(self, backbone: DualEncoder, *, ratio: float = 0.2, reduction: int = 4) -> None:
        super().__init__(backbone)
        self.adapter = bottleneck(backbone.embed_dim, reduction)
        self.ratio = ratio

    def adapted(self, image: Encoded) -> Tensor:
        """The mixed feature `[B, E]`."""
        f = image.pooled
        mixed: Tensor = self.ratio * self.adapter(f) + (1 - self.ratio) * f
        return mixed

    def edits(self, call: Call) -> Edits:
        """A module on the image feature."""
        return Edits(features={"vision": self.adapted})
