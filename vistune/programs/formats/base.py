"""`CallFormat`: writes what a planner is asked, and reads a call or an answer in what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from vistune.completer import Message, Reply, Request
from vistune.programs.session import Held
from vistune.programs.tool import Toolbox

_REFERENCE = re.compile(r"\$\d{1,3}")


class UnreadableError(Exception):
    """A reply that holds neither a call nor an answer: one sentence."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool's name as it was written and its arguments: by name, or as one text of arguments with commas between them.

    Arguments of later calls, and the answer of a plan, may name what this one gave by its `id`.
    """

    tool: str
    arguments: Mapping[str, Any] | str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a reply says: calls, an answer, or (a whole plan) both: the answer then stands for when the calls are done.

    `text` is the part of the reply that later prompts repeat.
    """

    text: str
    calls: tuple[Call, ...] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a turn: what was said, and what each call gave, in words."""

    said: Said
    observations: tuple[str, ...]


@dataclass(slots=True)
class Talk:
    """What a prompt is made of. `shown`: media with what is said about them; `earlier`: turns as (question, answer);
    `made`: media that tools made in this turn."""

    tools: Toolbox
    question: str
    shown: Sequence[tuple[Held, str]] = ()
    earlier: Sequence[tuple[str, str]] = ()
    steps: list[Step] = field(default_factory=list)
    made: list[Held] = field(default_factory=list)


def turns(earlier: Sequence[tuple[str, str]]) -> list[Message]:
    """Questions and answers before this one, as messages."""
    return [message for asked, told in earlier for message in (Message("user", asked), Message("assistant", told))]


def listed(shown: Sequence[tuple[Held, str]]) -> str:
    """The media that were shown, a line each: kind, name, and what is said about them."""
    return "".join(f"[{held.medium.kind} {held.name}{f': {about}' if about else ''}]\n" for held, about in shown)


def seen(step: Step) -> str:
    """What a step's calls gave, a line each."""
    return "\n".join(step.observations)


class CallFormat(Protocol):
    """A way to speak of calls."""

    def request(self, talk: Talk) -> Request:
        """What the planner is asked next."""
        ...

    def read(self, reply: Reply, talk: Talk) -> Said:
        """What it said. Raises `UnreadableError`."""
        ...


def filled(value: Any, results: dict[str, Any]) -> Any:
    """Arguments with every `$n` replaced by what call n gave; a value that is nothing else keeps its type."""
    if isinstance(value, dict):
        return {key: filled(item, results) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, results) for item in value]
    if not isinstance(value, str):
        return value
    if value in results:
        return results[value]
    return _REFERENCE.sub(lambda match: str(results.get(match[0], match[0])), value)
