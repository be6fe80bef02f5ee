"""`ToolPart`: what a tool that a spec may name is a subclass of."""

from __future__ import annotations


class ToolPart:
    """An object that is called, with a signature of its own: see `vistune.programs.tool` for what it may take and give.

    `name` is what planners write, `use` one sentence about what it does.
    """

    name: str
    use: str
