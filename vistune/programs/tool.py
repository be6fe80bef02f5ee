"""A tool: a plain callable whose signature is its schema.

    def zoom(image: Image, factor: float) -> Image:
        "Enlarges a picture."

`tool_of(zoom)` takes a picture of the session and a number. What a tool may take: `Image`, `Film`, `Sound`, `Cloud` (a medium,
handed over by its name in the session), `str`, `float`, `int` and `Region`. What it may give: text, a medium, regions, or an
`Observation` (`observation.py`) of all three.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from vistune.errors import InputError, nearest
from vistune.sample import Media, Region

Image: TypeAlias = Annotated[Media, "image"]
Film: TypeAlias = Annotated[Media, "video"]
Sound: TypeAlias = Annotated[Media, "audio"]
Cloud: TypeAlias = Annotated[Media, "points"]

ArgumentKind: TypeAlias = Literal["image", "video", "audio", "points", "text", "number", "region"]
_PLAIN: Mapping[Any, ArgumentKind] = {str: "text", float: "number", int: "number", Region: "region"}
_SCHEMA: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "region": {
        "type": "array",
        "items": {"type": "number"},
        "description": "a box [x1, y1, x2, y2] or a point [x, y], in shares of the picture's width and height",
    },
}


class ToolPart:
    """An object that is called, with a signature of its own: what a tool that a spec may name is a subclass of.

    `name` is what planners write, `use` one sentence about what it does.
    """

    name: str
    use: str


@dataclass(frozen=True, slots=True)
class Argument:
    """One thing a tool takes; an `optional` one may be left out."""

    name: str
    kind: ArgumentKind
    optional: bool = False

    @property
    def medium(self) -> bool:
        """Is it a medium of the session?"""
        return self.kind in ("image", "video", "audio", "points")


@dataclass(frozen=True, slots=True)
class Tool:
    """A callable as a planner sees it: `name`, `use` (one sentence) and what it takes, in order.

    limit_s:  seconds a call may take
    isolated: run in a process of its own, which is ended when the time is up, with `memory` bytes at most; else in a thread,
              which nobody can end and which is left behind
    """

    name: str
    use: str
    run: Callable[..., Any]
    takes: tuple[Argument, ...]
    limit_s: float = 60.0
    isolated: bool = False
    memory: int = 4 * 2**30

    def schema(self) -> dict[str, Any]:
        """The tool as OpenAI's chat describes a function."""
        properties = {argument.name: _schema(argument) for argument in self.takes}
        needed = [argument.name for argument in self.takes if not argument.optional]
        parameters = {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}
        function = {"name": identifier(self.name), "description": self.use, "parameters": parameters}
        return {"type": "function", "function": function}


def identifier(name: str) -> str:
    """A tool's name as function names are spelt: letters, digits and underscores."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)


def _schema(argument: Argument) -> dict[str, Any]:
    if argument.medium:
        return {"type": "string", "description": f"the name of a {argument.kind} of this conversation"}
    return dict(_SCHEMA[argument.kind])


def tool_of(run: Callable[..., Any], name: str = "", use: str = "", **limits: Any) -> Tool:
    """A tool from a function or an object that is called; `limits` are fields of `Tool`.

    Name and use are by default the object's own `name` and `use`, or the function's name and the first line of its docstring.
    Raises `InputError` for a signature that no planner could fill.
    """
    name = name or getattr(run, "name", "") or getattr(run, "__name__", type(run).__name__)
    use = use or getattr(run, "use", "") or (inspect.getdoc(run) or "").partition("\n")[0]
    # Of an object the annotations stand on its class's `__call__`; the instance has none.
    target = run if inspect.isroutine(run) else type(run).__call__
    hints = get_type_hints(target, include_extras=True)
    found = []
    for parameter in inspect.signature(run).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise InputError(f"tool {name!r}: *{parameter.name} has no name that a planner could fill")
        kind = _kind(hints.get(parameter.name))
        if kind is None:
            raise InputError(
                f"tool {name!r}: parameter {parameter.name!r} needs one of these types: Image, Film, Sound, Cloud "
                "(vistune.programs.tool), Region, str, float, int"
            )
        found.append(Argument(parameter.name, kind, parameter.default is not inspect.Parameter.empty))
    return Tool(name, use, run, tuple(found), **limits)


def _kind(hint: Any) -> ArgumentKind | None:
    if get_origin(hint) is Annotated and get_args(hint)[0] is Media:
        kind: ArgumentKind = get_args(hint)[1]
        return kind
    return _PLAIN.get(hint)


class Toolbox:
    """Tools by name. Names are looked up as they are written, then without regard to case and punctuation."""

    def __init__(self, *tools: Tool) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._spelt = {identifier(tool.name).lower(): tool for tool in tools}
        # Names that differ in case or punctuation alone could not be told apart in what a planner writes.
        if len(self._spelt) < len(tools):
            raise InputError("two tools have the same name")

    def __iter__(self) -> Any:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def find(self, name: str) -> Tool | None:
        """The tool of a name, or None."""
        return self._tools.get(name) or self._spelt.get(identifier(name.strip()).lower())

    def named(self, name: str) -> Tool:
        """The tool of a name. Raises `InputError` with the nearest one."""
        tool = self.find(name)
        if tool is None:
            raise InputError(f"there is no tool {name[:80]!r}{nearest(name, list(self._tools))}")
        return tool
