"""`y = W (s * x) + b`: trained scales and biases around frozen matrices (LLaMA-Adapter V2, arXiv 2304.15010)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vistune.model.language.hooks import Hooks, Run


class ScaleAndBias(nn.Module):
    """`scale [in]`, where there is one, on what a linear layer reads and `bias [out]` on what it gives: at first 1 and 0.

    As in the published code the scale is on the input; the paper writes it on the output.
    """

    def __init__(self, layer: nn.Linear, scale: bool) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(layer.in_features)) if scale else None
        self.bias = nn.Parameter(torch.zeros(layer.out_features))

    def forward(self, base: Callable[[Tensor], Tensor], x: Tensor, run: Run) -> Tensor:
        """A `route` hook."""
        return base(x if self.scale is None else x * self.scale) + self.bias


def tune_scale_and_bias(hooks: Hooks, scale: bool) -> nn.ModuleList:
    """Put one around every linear layer of every block; returns them, for whoever is to own the parameters."""
    tuned = nn.ModuleList()
    for number, block in enumerate(hooks.blocks):
        around = nn.ModuleDict()
        for name, layer in block.named_modules():
            if isinstance(layer, nn.Linear):
                around[name.replace(".", "_")] = ScaleAndBias(layer, scale)
                hooks.route(number, name, around[name.replace(".", "_")])
        tuned.append(around)
    return tuned
