"""2SFS: first the layer norms, then a classifier from the adapted text features (Farina et al. 2025, arXiv 2503.11609)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Edits, Norms, TowerName
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.method import Call, Disclosure, Hyperparameters, Method, Phase


class BlockNorms(nn.Module):
    """Trainable copies of the two layer norms of every block of a tower (the norms outside the blocks stay frozen)."""

    def __init__(self, backbone: DualEncoder, tower: TowerName) -> None:
        super().__init__()
        blocks = backbone.tower(tower).blocks
        self.tower: TowerName = tower
        for name, norm in (("first", "layer_norm1"), ("second", "layer_norm2")):
            for leaf in ("weight", "bias"):
                values = [block.get_submodule(norm).get_parameter(leaf).detach().clone() for block in blocks]
                self.register_parameter(f"{name}_{leaf}", nn.Parameter(torch.stack(values)))

    def edits(self) -> dict[tuple[TowerName, int], Norms]:
        """The norms by site."""
        first = self.get_parameter("first_weight"), self.get_parameter("first_bias")
        second = self.get_parameter("second_weight"), self.get_parameter("second_bias")
        return {(self.tower, i): Norms((first[0][i], first[1][i]), (second[0][i], second[1][i])) for i in range(len(first[0]))}


class Twosfs(Method):
    """60 % of the steps teach the block norms of both towers, the rest a classifier on the then frozen towers.

    A taught class is answered by its row of the classifier, a new one by the adapted text tower.
    """

    recipe = Hyperparameters(
        optimizer="adamw", lr=0.0002, batch=32, weight_decay=0.01, warm_up=0, schedule="step", iterations_per_shot=300
    )
    disclosure = Disclosure(told_split=True)
    stages = (Phase("norms", 0.6, ("text_norms", "vision_norms")), Phase("classifier", 0.4, ("classifier",)))
    needs_vision_blocks = True

    def __init__(self, backbone: DualEncoder, classes: Classes) -> None:
        super().__init__(backbone)
        self.taught = classes.names
        self.text_norms = BlockNorms(backbone, "text")
        self.vision_norms = BlockNorms(backbone, "vision")
        self.classifier = nn.Parameter(torch.zeros(len(classes), backbone.embed_dim))
        self.classifying: Tensor
        self.register_buffer("classifying", torch.tensor(False))

    def start_stage(self, stage: Phase, shots: Shots) -> None:
        """The classifier starts as the adapted text features, at length one."""
        self.classifying.fill_(stage.name == "classifier")
        if stage.name == "classifier":
            with torch.no_grad():
                adapted = shots.engine.text(shots.classes, Edits(norms=self.text_norms.edits())).features
                self.classifier.copy_(unit(adapted))

    def edits(self, call: Call) -> Edits:
        """Norms of both towers; rows of the classifier for the taught classes once there is one."""
        edits = Edits(norms={**self.text_norms.edits(), **self.vision_norms.edits()})
        if not bool(self.classifying):
            return edits
        place = {name: i for i, name in enumerate(self.taught)}
        row = torch.tensor([place.get(name, -1) for name in call.classes.names], device=self.classifier.device)
        weights = self.classifier[row.clamp(min=0)]
        if bool((row < 0).any()):
            adapted = unit(call.engine.text(call.classes, Edits(norms=self.text_norms.edits())).features)
            weights = torch.where((row >= 0)[:, None], weights, adapted)
        edits.class_weights = weights
        return edits
