"""Work over visual places alone."""

from __future__ import annotations

from torch import nn

from vistune.model.fusion.base import Added, Product


def over_visual(modules: nn.Module) -> Added:
    """All linear layers of `modules`, applied to visual places."""
    return Added(tuple(Product(module, "visual") for module in modules.modules() if isinstance(module, nn.Linear)))
