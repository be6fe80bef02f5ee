"""All that a program does to the outside: it asks its planner, and uses tools. Both are written down, and can be played back.

A trace is a JSONL file of events: `task` (what was asked), `reply` (what the planner said), `call` and `observation` (or
`refused`), `recalled`, `end`. With its trace and the media beside it a task runs again without any model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from vistune.completer import Completer, Reply, Request
from vistune.errors import InputError
from vistune.programs.observation import Observation, ToolError
from vistune.programs.running import Bound, bind, observe
from vistune.programs.session import Held, Session
from vistune.programs.tool import Tool

Event = Mapping[str, Any]
Write = Callable[[Event], None]


class PlannerError(Exception):
    """The planner gave no reply: the task ends here, with a sentence that says why."""


class Hands(Protocol):
    """What programs act with."""

    def ask(self, request: Request) -> Reply:
        """The planner's reply. Raises `PlannerError` when there is none."""
        ...

    def use(self, tool: Tool, written: Mapping[str, Any], session: Session) -> tuple[Observation, tuple[Held, ...]]:
        """Call a tool with arguments as the planner wrote them; what it makes is held by the session.

        Raises `ToolError` when the call is refused or fails.
        """
        ...

    def recall(self, what: str, read: Callable[[], Any]) -> Any:
        """Plain JSON that the program reads from elsewhere, such as its own memory: what it was when the task ran."""
        ...


class Live:
    """Asks a completer and runs tools; `write` gets each event."""

    def __init__(self, planner: Completer | None, write: Write = lambda event: None) -> None:
        self._planner, self._write = planner, write

    def ask(self, request: Request) -> Reply:
        """See `Hands`. Raises `InputError` when the program was given no planner."""
        if self._planner is None:
            raise InputError(
                "this program asks a language model: give --planner, such as local:MODEL or endpoint:URL?model=NAME"
            )
        reply = next(iter(self._planner.complete([request])))
        self._write({"event": "reply", "key": request.key(), "text": reply.text, "error": reply.error, "model": reply.model})
        return _answered(reply)

    def use(self, tool: Tool, written: Mapping[str, Any], session: Session) -> tuple[Observation, tuple[Held, ...]]:
        """See `Hands`."""
        # Written before the tool runs: a trace that ends here shows which call took the process with it.
        self._write(_call(tool, written))
        try:
            call = bind(tool, written, session)
            seen = observe(call)
            held = _hold(call, seen, session)
        except ToolError as error:
            self._write({"event": "refused", "why": str(error)})
            raise
        self._write({"event": "observation", **seen.to_json(), "held": [one.to_json() for one in held]})
        return seen, held

    def recall(self, what: str, read: Callable[[], Any]) -> Any:
        """See `Hands`."""
        value = read()
        self._write({"event": "recalled", "what": what, "value": value})
        return value


class Replay:
    """Plays one task's events back; nothing is asked or run. Raises `InputError` where the program departs from them."""

    def __init__(self, events: Iterable[Event], where: str = "the trace") -> None:
        self._events = iter([event for event in events if event["event"] not in ("task", "end")])
        self._where = where

    def ask(self, request: Request) -> Reply:
        """See `Hands`."""
        event = self._next("reply")
        # The key covers the whole prompt: a program that has changed its words is told so at the first of them.
        if event["key"] != request.key():
            raise InputError(f"{self._where}: the program asks its planner something else now than when it was recorded")
        return _answered(Reply(event["text"], event.get("model", ""), error=event.get("error", "")))

    def use(self, tool: Tool, written: Mapping[str, Any], session: Session) -> tuple[Observation, tuple[Held, ...]]:
        """See `Hands`."""
        call, now = self._next("call"), _call(tool, written)
        if any(call.get(key) != value for key, value in now.items()):
            raise InputError(
                f"{self._where}: the program calls {tool.name!r} with {now['arguments']} where {call.get('tool')!r} with "
                f"{call.get('arguments')} was recorded"
            )
        event = self._next("observation", "refused")
        if event["event"] == "refused":
            raise ToolError(event["why"])
        seen = Observation.from_json(event)
        # Bound again though nothing runs: names of media must resolve in this session as they did in the first.
        return seen, _hold(bind(tool, written, session), seen, session)

    def recall(self, what: str, read: Callable[[], Any]) -> Any:
        """See `Hands`."""
        return self._next("recalled")["value"]

    def _next(self, *kinds: str) -> Event:
        event = next(self._events, None)
        if event is None or event["event"] not in kinds:
            found = "its end" if event is None else repr(event["event"])
            raise InputError(f"{self._where}: expected {' or '.join(kinds)}, found {found}")
        return event


def _call(tool: Tool, written: Mapping[str, Any]) -> dict[str, Any]:
    return {"event": "call", "tool": tool.name, "arguments": dict(written)}


def _answered(reply: Reply) -> Reply:
    if reply.error:
        raise PlannerError(f"the planner gave no reply: {reply.error}")
    return reply


def _hold(call: Bound, seen: Observation, session: Session) -> tuple[Held, ...]:
    try:
        return tuple(session.add(medium, call.tool.name, call.parents, call.written) for medium in seen.media)
    except InputError as error:
        raise ToolError(f"{call.tool.name}: {error}") from error
