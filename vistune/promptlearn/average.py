"""Averages of learnt weights over epochs."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class EpochAverage:
    """A weighted sum of a module's parameters, built epoch by epoch."""

    def __init__(self) -> None:
        self._sum: dict[str, Tensor] = {}

    def add(self, module: nn.Module, weight: float) -> None:
        """Add the parameters as they are now."""
        for name, value in module.named_parameters():
            if value.requires_grad:
                self._sum[name] = self._sum.get(name, torch.zeros_like(value)) + weight * value.detach()

    def load_into(self, module: nn.Module) -> None:
        """Write the sum into the module and forget it."""
        with torch.no_grad():
            for name, value in self._sum.items():
                module.get_parameter(name).copy_(value)
        self._sum = {}
