"""`ToolPart`: an object that is called, and what planners are told about it."""

from __future__ import annotations

from typing import Any, Protocol


class ToolPart(Protocol):
    """A tool that a spec may name. `name` is what planners write, `use` one sentence about what it does."""

    name: str
    use: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do it: see `vistune.programs.tool` for what may be taken and given."""
        ...
