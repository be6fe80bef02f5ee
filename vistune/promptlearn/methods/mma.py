"""MMA: adapters beside the upper blocks of both towers, with a shared middle (Yang et al. 2024, CVPR)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.edits import Edits, TowerName
from vistune.promptlearn.method import Call, Hyperparameters, Method, block_in


class ScaleGradient(torch.autograd.Function):
    """The identity, whose gradient is multiplied by a constant."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        """`x` itself."""
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """The gradient times the factor."""
        return grad * ctx.factor, None


def scale_gradient(x: Tensor, factor: float) -> Tensor:
    """`x`, its gradient times `factor`."""
    scaled: Tensor = ScaleGradient.apply(x, factor)  # type: ignore[no-untyped-call]
    return scaled


class Mma(Method):
    """Beside blocks `first` .. the last (0-based): `scale` x up(relu(shared(relu(down(ln_1(x)))))), added after the MLP.

    The middle Linear is one for both towers in a layer. Gradients are rescaled so that the branch's own weights learn as
    if the scale were 1; plain autograd would give them gradients `scale` times smaller.
    """

    recipe = Hyperparameters(lr=0.0015, batch=16, epochs=5, warm_up=0)
    needs_vision_blocks = True

    def __init__(self, backbone: DualEncoder, *, first: int | None = None, bottleneck: int = 32, scale: float = 0.001) -> None:
        super().__init__(backbone)
        layers = range(block_in(backbone, 4, first), min(len(backbone.text.blocks), len(backbone.vision.blocks)))
        self.layers, self.scale = layers, scale
        self.down = nn.ModuleDict()
        self.up = nn.ModuleDict()
        self.shared = nn.ModuleDict({str(layer): nn.Linear(bottleneck, bottleneck) for layer in layers})
        for tower in (backbone.text, backbone.vision):
            for layer in layers:
                self.down[f"{tower.name}_{layer}"] = nn.Linear(tower.width, bottleneck)
                self.up[f"{tower.name}_{layer}"] = nn.Linear(bottleneck, tower.width)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)

    def branch(self, tower: TowerName, layer: int) -> Callable[[Tensor], Tensor]:
        """The side branch of one block."""
        down, shared, up = self.down[f"{tower}_{layer}"], self.shared[str(layer)], self.up[f"{tower}_{layer}"]

        def side(normed: Tensor) -> Tensor:
            x = scale_gradient(normed, self.scale) if self.scale else normed
            y = self.scale * up(shared(down(x).relu()).relu())
            return scale_gradient(y, 1 / self.scale) if self.scale else y

        return side

    def edits(self, call: Call) -> Edits:
        """One side branch a block and tower."""
        names: tuple[TowerName, TowerName] = ("text", "vision")
        return Edits(side={(name, layer): self.branch(name, layer) for name in names for layer in self.layers})
