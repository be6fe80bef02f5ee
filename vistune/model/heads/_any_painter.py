"""The painter in a directory: one of `diffusers`, or the world's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

from vistune.model.heads._flow_painter import FlowPainter
from vistune.model.heads._painter import Painter
from vistune.model.weights.assets import locate

AnyPainter: TypeAlias = Painter | FlowPainter
_DIFFUSERS = "unet"  # the subfolder of the network in a diffusers directory


def read_painter(path: str, load_weights: bool = True, **options: Any) -> AnyPainter:
    """By directory, hub id or `builtin:NAME`; `options` are `Painter`'s, and the world's own painter has none."""
    folder = Path(locate(path))
    if folder.is_dir() and not (folder / _DIFFUSERS).is_dir():
        return FlowPainter(path)
    return Painter(path, **options, load_weights=load_weights)
