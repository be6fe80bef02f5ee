"""The loop: a planner proposes a call, a tool observes, and so on until the planner answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from vistune.programs.formats.base import Call, CallFormat, Step, Talk, UnreadableError, filled
from vistune.programs.hands import Hands, PlannerError
from vistune.programs.observation import Observation, ToolError
from vistune.programs.running import in_order
from vistune.programs.session import Held, Session
from vistune.programs.tool import Tool, Toolbox
from vistune.sample import Region

Ended: TypeAlias = Literal["answer", "steps", "unreadable", "planner", "tool"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended: `answer` when the planner gave one, `steps` when it used up its steps, `unreadable` when it said
    neither, `planner` when it could not be asked, `tool` when a tool that the program cannot do without failed. `why`
    says more; `made` names the media that tools made."""

    text: str = ""
    regions: tuple[Region, ...] = ()
    made: tuple[str, ...] = ()
    ended: Ended = "answer"
    why: str = ""
    steps: tuple[Step, ...] = field(default=(), compare=False)


def converse(
    talk: Talk,
    form: CallFormat,
    session: Session,
    hands: Hands,
    most: int = 8,
    tell: Callable[[Observation], str] | None = None,
) -> Outcome:
    """Answer `talk.question` in at most `most` steps. A refused or failed call is an observation like any other.

    `tell` turns an observation into the words that the planner reads; by default its text, the names of media it made and the
    boxes of its regions.
    """
    made = talk.made
    regions: tuple[Region, ...] = ()
    while len(talk.steps) < most:
        try:
            said = form.read(hands.ask(form.request(talk)), talk)
        except UnreadableError as error:
            return _ended(talk, made, regions, "unreadable", str(error))
        except PlannerError as error:
            return _ended(talk, made, regions, "planner", str(error))
        if not said.calls:
            return Outcome(said.answer, regions, tuple(held.name for held in made), steps=tuple(talk.steps))
        seen, results = [], dict[str, Any]()
        for call in said.calls:
            # Later calls of one reply may name what earlier ones gave (`$1`), which is known only now.
            given = call if isinstance(call.arguments, str) else replace(call, arguments=filled(call.arguments, results))
            words, held, found = _use(given, talk.tools, session, hands, tell)
            results[call.id] = held[0].name if held else _numbers(found[0]) if found else words
            seen.append(words)
            made += held
            # The last call that found some: a crop or a caption in between must not clear what was pointed out.
            regions = found or regions
        talk.steps.append(Step(said, tuple(seen)))
        if said.answer:
            answer = str(filled(said.answer, results))
            return Outcome(answer, regions, tuple(held.name for held in made), steps=tuple(talk.steps))
    return _ended(talk, made, regions, "steps", f"no answer after {most} steps")


def _ended(talk: Talk, made: Sequence[Held], regions: tuple[Region, ...], ended: Ended, why: str) -> Outcome:
    return Outcome("", regions, tuple(held.name for held in made), ended, why, tuple(talk.steps))


def _use(
    call: Call, tools: Toolbox, session: Session, hands: Hands, tell: Callable[[Observation], str] | None
) -> tuple[str, tuple[Held, ...], tuple[Region, ...]]:
    tool = tools.find(call.tool)
    if tool is None:
        return f"{call.tool} is not a valid tool, try another one.", (), ()
    try:
        written = in_order(tool, pieces(tool, call.arguments)) if isinstance(call.arguments, str) else call.arguments
        seen, held = hands.use(tool, written, session)
    except ToolError as error:
        return str(error), (), ()
    return (tell(seen) if tell else told(seen, held)), held, seen.regions


def pieces(tool: Tool, text: str) -> list[str]:
    """Arguments written as one text: cut at its commas, but not into more pieces than the tool takes."""
    count = len(tool.takes)
    # The last argument may hold commas of its own: a description often does.
    return [piece.strip().strip('"') for piece in text.split(",", max(0, count - 1))] if count and text.strip() else []


def told(seen: Observation, held: Sequence[Held]) -> str:
    """An observation in words."""
    words = [seen.text] if seen.text else []
    words += [" ".join(f"{_region(region)}" for region in seen.regions)] if seen.regions else []
    words += [one.name for one in held]
    return "\n".join(words) or "nothing"


def _region(region: Region) -> str:
    return f"{region.label or ''}[{', '.join(f'{number:.3f}' for number in _numbers(region))}]"


def _numbers(region: Region) -> list[float]:
    """A region as arguments are written: a point, or the box around it."""
    return [round(float(number), 4) for number in (region.point if region.point is not None else region.bounds())]
