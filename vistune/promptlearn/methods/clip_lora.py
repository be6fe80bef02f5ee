"""CLIP-LoRA: low-rank updates of every attention of both towers (Zanella and Ben Ayed 2024, arXiv 2405.18541)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import Attention, Edits, LowRank, TowerName
from vistune.promptlearn.method import Call, Hyperparameters, Method
from vistune.promptlearn.towers.encoded import Encoded

SCALE = 100.0  # the release fixes the temperature instead of reading the backbone's


class ClipLora(Method):
    """Rank `rank` on query, key and value projections, times `alpha` / sqrt(rank), behind dropout; `up` starts at zero."""

    recipe = Hyperparameters(
        optimizer="adamw", lr=0.0002, batch=32, weight_decay=0.01, warm_up=0, schedule="step", iterations_per_shot=500
    )
    needs_vision_blocks = True

    def __init__(self, backbone: DualEncoder, *, rank: int = 2, alpha: float = 1.0, dropout: float = 0.25) -> None:
        super().__init__(backbone)
        self.scale = alpha / math.sqrt(rank)
        self.dropout = nn.Dropout(dropout)
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        self.sites: list[tuple[TowerName, int]] = []
        for tower in (backbone.text, backbone.vision):
            bound = math.sqrt(3) * math.sqrt(2 / (1 + 3)) / math.sqrt(tower.width)  # Kaiming uniform with a = sqrt(3)
            for layer in range(len(tower.blocks)):
                self.sites.append((tower.name, layer))
                for part in "qkv":
                    self.down[f"{tower.name}_{layer}_{part}"] = torch.empty(rank, tower.width).uniform_(-bound, bound)
                    self.up[f"{tower.name}_{layer}_{part}"] = torch.zeros(tower.width, rank)

    def update(self, tower: TowerName, layer: int, part: str) -> LowRank:
        """The update of one projection."""
        key = f"{tower}_{layer}_{part}"
        return LowRank(self.down[key], self.up[key], self.scale, self.dropout)

    def edits(self, call: Call) -> Edits:
        """Every attention of both towers."""

        def logits(image: Encoded, text: Encoded) -> Tensor:
            return SCALE * (unit(image.features) @ unit(text.features).T)

        attention = {site: Attention(low_rank={part: self.update(*site, part) for part in "qkv"}) for site in self.sites}
        return Edits(attention=dict(attention), logits=logits)
