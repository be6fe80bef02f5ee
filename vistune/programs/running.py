"""One call of a tool: arguments bound to the session, the tool run within its limits, its result checked."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vistune.errors import InputError
from vistune.programs.isolated import run_isolated
from vistune.programs.observation import Observation, ToolError, attempted
from vistune.programs.session import Session, UnknownNameError
from vistune.programs.tool import Argument, Tool
from vistune.sample import Region


@dataclass(frozen=True, slots=True)
class Bound:
    """A call whose arguments were found: `values` for the tool, `written` as the planner wrote them, `parents` its media."""

    tool: Tool
    values: Mapping[str, Any]
    written: Mapping[str, Any]
    parents: tuple[str, ...]


def bind(tool: Tool, written: Mapping[str, Any], session: Session) -> Bound:
    """Look up and convert the arguments. Raises `ToolError` for what is missing, unknown or of another kind."""
    takes = {argument.name: argument for argument in tool.takes}
    for name in written:
        if name not in takes:
            raise ToolError(f"{tool.name} takes no {str(name)[:80]!r}; it takes {', '.join(takes) or 'nothing'}")
    missing = [name for name, argument in takes.items() if not argument.optional and name not in written]
    if missing:
        raise ToolError(f"{tool.name} needs {', '.join(missing)} as well")
    values = {name: _value(tool, takes[name], value, session) for name, value in written.items()}
    parents = tuple(session[value].name for name, value in written.items() if takes[name].medium)
    return Bound(tool, values, dict(written), parents)


def in_order(tool: Tool, written: Sequence[str]) -> dict[str, str]:
    """Arguments given by place. What is too much belongs to a last argument of text, commas and all.

    Raises `ToolError` when there are too many.
    """
    given = list(written)
    if len(given) > len(tool.takes):
        if not tool.takes or tool.takes[-1].kind != "text":
            raise ToolError(f"{tool.name} takes {len(tool.takes)} arguments, not {len(given)}")
        last = len(tool.takes) - 1
        # The formats cut at commas, which belong to the text where more pieces came than the tool takes.
        given[last:] = [", ".join(given[last:])]
    return {argument.name: value for argument, value in zip(tool.takes, given, strict=False)}


def _value(tool: Tool, argument: Argument, value: Any, session: Session) -> Any:
    what = f"{tool.name}: {argument.name} is {str(value)[:80]!r}"
    if argument.medium:
        if not isinstance(value, str):
            raise ToolError(f"{what}, expected the name of a {argument.kind}")
        try:
            medium = session[value].medium
        except UnknownNameError as error:
            raise ToolError(f"{tool.name}: {error.args[0]}") from error
        if medium.kind != argument.kind:
            raise ToolError(f"{what}, which is a {medium.kind}, expected a {argument.kind}")
        return medium
    if argument.kind == "text":
        if not isinstance(value, str):
            raise ToolError(f"{what}, expected text")
        return value
    if argument.kind == "number":
        return _number(value, what)
    return _region(value, what)


def _number(value: Any, what: str) -> float:
    try:
        # Planners write numbers as text as often as not; both are taken, True is neither.
        number = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ToolError(f"{what}, expected a number")
    return number


def _region(value: Any, what: str) -> Region:
    if isinstance(value, Region):
        return value
    if isinstance(value, str):
        value = [part for part in value.strip("[]() ").split(",") if part.strip()]
    if not isinstance(value, (list, tuple)) or len(value) not in (2, 4):
        raise ToolError(f"{what}, expected a box of four numbers or a point of two")
    numbers = tuple(_number(part, what) for part in value)
    try:
        return Region(point=numbers) if len(numbers) == 2 else Region(box=numbers)  # type: ignore[arg-type]
    except InputError as error:
        raise ToolError(f"{what}: {error}") from error


def observe(call: Bound) -> Observation:
    """Run a call. Raises `ToolError` when the tool raises, takes too long, or gives what no tool may give."""
    tool = call.tool
    return run_isolated(tool, call.values) if tool.isolated else _in_thread(tool, call.values)


def _in_thread(tool: Tool, values: Mapping[str, Any]) -> Observation:
    box: queue.SimpleQueue[Observation | ToolError] = queue.SimpleQueue()

    def work() -> None:
        try:
            box.put(attempted(tool.name, tool.run, values))
        except ToolError as error:
            box.put(error)

    # A daemon: a tool that never ends must not keep the process from ending.
    threading.Thread(target=work, name=f"tool {tool.name}", daemon=True).start()
    try:
        result = box.get(timeout=tool.limit_s)
    except queue.Empty:
        raise ToolError(f"{tool.name} took longer than its {tool.limit_s:g} seconds") from None
    if isinstance(result, ToolError):
        raise result
    return result
