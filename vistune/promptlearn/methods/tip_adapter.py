"""Tip-Adapter(-F): a cache of the training images beside the zero-shot logits (Zhang et al. 2022, arXiv 2207.09519)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.encoded import Encoded
from vistune.promptlearn.method import Call, Method, Recipe, rows
from vistune.promptlearn.shots import Shots

SCALE = 100.0  # the release fixes the temperature instead of reading the backbone's


class TipAdapter(Method):
    """logits = 100 f W + `alpha` exp(-`beta` (1 - f K')) V; keys K are the mean features of each image's views.

    With `learn_keys` (Tip-Adapter-F) the keys are then taught; `shots` is the number of images a class. `alpha` and `beta`
    stay as given: the release searches them, on the test set for ImageNet, and no such search is made here.
    """

    recipe = Recipe(optimizer="adamw", lr=0.001, batch=256, epochs=20, weight_decay=0.01, epsilon=1e-4, views=10)
    answers_new_classes = False

    def __init__(
        self,
        backbone: DualEncoder,
        classes: Classes,
        *,
        shots: int = 16,
        alpha: float = 1.0,
        beta: float = 5.5,
        learn_keys: bool = True,
    ) -> None:
        super().__init__(backbone)
        self.taught = classes.names
        self.alpha, self.beta = alpha, beta
        self.keys = nn.Parameter(torch.zeros(shots * len(classes), backbone.embed_dim), requires_grad=learn_keys)
        self.values: Tensor
        self.register_buffer("values", torch.zeros(shots * len(classes), dtype=torch.long))

    def prepare(self, shots: Shots) -> None:
        """Fill the cache from all training images."""
        if len(shots) != len(self.keys):
            raise ValueError(f"the cache has room for {len(self.keys)} images, {len(shots)} were given")
        with torch.no_grad():
            views = [unit(shots.engine.image(shots.images(view)).pooled) for view in range(shots.views)]
            self.keys.copy_(unit(torch.stack(views).mean(0)))
        self.values.copy_(shots.labels)

    def edits(self, call: Call) -> Edits:
        """Logits of both kinds, summed."""

        def logits(image: Encoded, text: Encoded) -> Tensor:
            f = unit(image.features)
            affinity = torch.exp(-self.beta * (1 - f @ self.keys.T))
            cached = affinity @ F.one_hot(self.values, len(self.taught)).to(f)
            return SCALE * (f @ unit(text.features).T) + self.alpha * cached[:, rows(self.taught, call.classes, "Tip-Adapter")]

        return Edits(logits=logits)
