"""`Program`: what answers a sample with tools; and the pieces that programs are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from vistune.programs.formats.base import CallFormat
from vistune.programs.hands import Hands
from vistune.programs.loop import Outcome
from vistune.programs.observation import ToolError
from vistune.programs.session import Held, Session
from vistune.programs.tool import Tool, Toolbox, ToolPart, tool_of
from vistune.sample import Sample
from vistune.spec import Spec, build


@runtime_checkable
class Program(Protocol):
    """A way to answer with tools. `paper` is its source, `plans` whether it asks a planner."""

    paper: str
    plans: bool

    def run(self, task: Sample, session: Session, hands: Hands) -> Outcome:
        """Answer the sample's last question. Its media are in the session already, in order."""
        ...


def open_tool(spec: Spec, **limits: Any) -> Tool:
    """A tool of `vistune.programs.tools` (`{kind: detect, by: ...}`) or of the user's own, `package.module:Class`."""
    return tool_of(build("vistune.programs.tools", spec, ToolPart), **limits)


def open_tools(specs: Mapping[str, Spec] | Sequence[Spec]) -> Toolbox:
    """Several tools; a mapping's keys are the names that planners write."""
    if isinstance(specs, Mapping):
        return Toolbox(*(tool_of(build("vistune.programs.tools", spec, ToolPart), name) for name, spec in specs.items()))
    return Toolbox(*(open_tool(spec) for spec in specs))


def open_format(spec: Spec) -> CallFormat:
    """A way to speak of calls."""
    form: CallFormat = build("vistune.programs.formats", spec, CallFormat)
    return form


def question(task: Sample) -> str:
    """What the person asked last."""
    asked = [turn for turn in task.turns if turn.role == "user"]
    return asked[-1].text.strip() if asked else ""


def earlier(task: Sample) -> tuple[tuple[str, str], ...]:
    """Questions and answers before the last question."""
    turns = [turn for turn in task.prompt().turns if turn.role != "system"][:-1]
    pairs = zip(turns[::2], turns[1::2], strict=False)
    return tuple((ours.text.strip(), theirs.text.strip()) for ours, theirs in pairs)


def pictures(session: Session) -> list[Held]:
    """The pictures that the person gave."""
    return [held for held in session if held.medium.kind == "image" and not held.tool]


def picture(session: Session) -> Held:
    """The last picture that the person gave. Raises `ToolError` when there is none."""
    given = pictures(session)
    if not given:
        raise ToolError("the task shows no picture")
    return given[-1]
