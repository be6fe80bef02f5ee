"""DePT: a linear head on decoupled features beside any prompt method (Zhang et al. 2024, arXiv 2309.07439)."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.method import Call, Disclosure, Hyperparameters, Method, Output, rows
from vistune.promptlearn.plugin import Plugin
from vistune.promptlearn.towers.encoded import Encoded


class Affine(nn.Module):
    """FiLM without a condition: gamma x + beta, one and zero at the start."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))
        self.beta = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """`x [.., width]`."""
        return self.gamma * x + self.beta


class Dept(Plugin):
    """Unnormalised features of images and of their labels' texts, each through an affine map, share one Linear to N classes.

    Taught classes are answered by `share` x linear + (1 - `share`) x similarity, new ones by similarity. `mix` says of what:
    "logits" adds the classifier's logits to the scaled cosines, as released; "probabilities" mixes both softmaxes.
    """

    recipe = Hyperparameters(lr=0.0035, batch=4, epochs=10)
    disclosure = Disclosure(told_split=True)

    def __init__(
        self,
        backbone: DualEncoder,
        classes: Classes,
        inner: Method,
        *,
        share: float = 0.7,
        rate: float = 6.5,
        mix: Literal["logits", "probabilities"] = "logits",
    ) -> None:
        super().__init__(backbone, inner)
        self.taught = classes.names
        self.image_map, self.text_map = Affine(backbone.embed_dim), Affine(backbone.embed_dim)
        self.head = nn.Linear(backbone.embed_dim, len(classes))
        self.share, self.rate, self.mix = share, rate, mix

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """The inner terms, weighted, and `linear` over images and their labels' texts."""
        label = rows(self.taught, call.classes, "DePT").to(call.target.device)[call.target]
        both = torch.cat([self.text_map(out.text.features[call.target]), self.image_map(out.image.features)])
        linear = F.cross_entropy(self.head(both), label.repeat(2))
        inner = {name: (1 - self.share) * value for name, value in super().losses(out, call).items()}
        return {**inner, "linear": self.share * linear}

    def linear(self, image: Encoded, call: Call) -> Tensor:
        """The classifier's logits `[B, N]` of images for the classes of a call."""
        logits: Tensor = self.head(self.image_map(image.features))
        return logits[:, rows(self.taught, call.classes, "DePT")]

    def predict(self, call: Call, text: Encoded | None = None) -> Tensor:
        """The mixture for taught classes (of logits, or as log probabilities), similarity for new ones."""
        out = self(call, text)
        similarity: Tensor = out.logits
        if call.classes.split != "seen":
            return similarity
        linear = self.linear(out.image, call)
        if self.mix == "logits":
            return self.share * linear + (1 - self.share) * similarity
        return torch.log(self.share * linear.softmax(-1) + (1 - self.share) * similarity.softmax(-1))

    def groups(self, lr: float) -> list[dict[str, object]]:
        """Head and maps learn `rate` times faster."""
        fast = [*self.image_map.parameters(), *self.text_map.parameters(), *self.head.parameters()]
        return [*self.inner.groups(lr), {"params": fast, "lr": self.rate * lr}]
