"""Opening a painter by its spec; the contract is that of data construction."""

from __future__ import annotations

from vistune.construction.kit import Painter
from vistune.spec import Spec, build


def open_painter(spec: Spec) -> Painter:
    """A painter: `paint(kind, description)` gives a medium. Raises `InputError` for an unknown one."""
    painter: Painter = build("vistune.programs.painters", spec, Painter)
    return painter
