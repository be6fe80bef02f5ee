"""TaskRes: a learnt residual on the frozen class weights (Yu et al. 2023, arXiv 2211.10277)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.method import Call, Method, Recipe


class Taskres(Method):
    """Class weights = mean raw text feature over templates + `alpha` x residual; the text tower is not run in training.

    A class that was not taught has no residual and keeps its frozen weight.
    """

    recipe = Recipe(optimizer="adam", batch=256, epochs=100)

    def __init__(
        self, backbone: DualEncoder, classes: Classes, *, alpha: float = 0.5, templates: list[str] | None = None
    ) -> None:
        super().__init__(backbone)
        self.taught = classes.names
        self.alpha = alpha
        self.templates = templates
        self.residual = nn.Parameter(torch.zeros(len(classes), backbone.embed_dim))

    def base(self, call: Call) -> Tensor:
        """Frozen, unnormalised class features `[N, E]`: the mean over templates of raw features."""
        return call.engine.frozen_templates(call.classes, self.templates or [call.classes.template]).mean(0)

    def edits(self, call: Call) -> Edits:
        """The class weights."""
        place = {name: i for i, name in enumerate(self.taught)}
        row = torch.tensor([place.get(name, -1) for name in call.classes.names], device=self.residual.device)
        residual = torch.where((row >= 0)[:, None], self.residual[row.clamp(min=0)], 0.0)
        return Edits(class_weights=self.base(call) + self.alpha * residual)
