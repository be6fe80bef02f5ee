"""Calls as AssistGPT interleaves them with language (Gao et al., arXiv 2306.08640, section 3.2).

    Thought: I need to know where the dog is.
    Act: detect("dog", visual[0])
    Obs: [0.10, 0.20, 0.50, 0.90]
    ...
    Thought: I can answer.
    Act: answer("left of the cat")

Text arguments stand in quotes, media by their number in the session; both go to the tool's parameters of their kind, in order.
The article's own prompts are not public: the sentences are ours. Not held by a recording.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from vistune.completer import Message, Reply, Request
from vistune.programs.formats.base import Call, Said, Talk, UnreadableError, seen, turns
from vistune.programs.session import Held
from vistune.programs.tool import Tool

SYSTEM = (
    "You answer questions about pictures and films that you cannot see, by calling modules and reading what they observe. "
    'Write one thought and one action at a time, as "Thought: ..." and "Act: module(...)" on two lines, and end with '
    'Act: answer("...").'
)
ANSWER = "answer"
_ACT = re.compile(r"^\s*Act(?:ion)?:\s*(.+?)\s*$", re.MULTILINE)
_VISUAL = re.compile(r"visual(?:\[(\d+)\]|-(\d+))")
_STOP = "\nObs:"


class ModuleCalls:
    """The format `module_calls`."""

    def __init__(self, system: str = SYSTEM, max_tokens: int = 256) -> None:
        self._system, self._max_tokens = system, max_tokens

    def request(self, talk: Talk) -> Request:
        """Modules, the inspector's summary of what is there, earlier turns, the question and the steps so far."""
        modules = "\n".join(
            f"{tool.name}({', '.join(argument.name for argument in tool.takes)}): {tool.use}" for tool in talk.tools
        )
        visuals = "\n".join(
            f"visual[{number}]: {held.medium.kind}{f', {about}' if about else ''}"
            for number, (held, about) in enumerate(_visuals(talk))
        )
        steps = "".join(f"\n{step.said.text.strip()}\nObs: {seen(step)}" for step in talk.steps)
        system = Message("system", f"{self._system}\n\nModules:\n{modules}")
        asked = Message("user", f"{visuals}\n\nQuestion: {talk.question}{steps}")
        return Request((system, *turns(talk.earlier), asked), self._max_tokens, stop=(_STOP,))

    def read(self, reply: Reply, talk: Talk) -> Said:
        """The first action. Raises `UnreadableError` for one that is no call of texts and visuals."""
        text = reply.text.partition(_STOP)[0]
        match = _ACT.search(text)
        if match is None:
            raise UnreadableError(f"the reply holds no action: {text[:80]!r}")
        name, values = _parsed(match[1])
        if name == ANSWER and talk.tools.find(ANSWER) is None:
            if len(values) != 1 or not isinstance(values[0], str):
                raise UnreadableError(f"an answer is one text: {match[1][:80]!r}")
            return Said(text, answer=values[0].strip())
        tool = talk.tools.find(name)
        arguments = {} if tool is None else _placed(tool, values, talk)
        return Said(text, (Call(name, arguments),))


def _visuals(talk: Talk) -> list[tuple[Held, str]]:
    """The inspector's list: what was there at first, then what tools have made, with who made it of what."""
    made = [(held, f"made by {held.tool} from {', '.join(held.parents) or 'words'}") for held in talk.made]
    return [*talk.shown, *made]


class _Visual(int):
    """The number of a medium."""


def _parsed(action: str) -> tuple[str, list[Any]]:
    """A call's name and arguments, read and never run. `visual[3]` is written as a number of its own kind."""
    spelt = _VISUAL.sub(lambda match: f"__visual__({match[1] or match[2]})", action)
    try:
        call = ast.parse(spelt, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"the action is no call: {action[:80]!r}") from error
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise UnreadableError(f"the action is no call: {action[:80]!r}")
    return call.func.id, [_literal(node, action) for node in (*call.args, *(keyword.value for keyword in call.keywords))]


def _literal(node: ast.expr, action: str) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "__visual__":
        number = node.args[0]
        if isinstance(number, ast.Constant) and isinstance(number.value, int):
            return _Visual(number.value)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"an argument is neither a text, a number nor a visual: {action[:80]!r}") from error


def _placed(tool: Tool, values: list[Any], talk: Talk) -> dict[str, Any]:
    """Arguments by name: visuals to the tool's media in order, everything else to its other parameters."""
    media = [argument.name for argument in tool.takes if argument.medium]
    others = [argument.name for argument in tool.takes if not argument.medium]
    visuals = _visuals(talk)
    found: dict[str, Any] = {}
    for value in values:
        names = media if isinstance(value, _Visual) else others
        if not names:
            raise UnreadableError(f"{tool.name} takes {len(tool.takes)} arguments, not these {len(values)}")
        if isinstance(value, _Visual):
            if value >= len(visuals):
                raise UnreadableError(f"there is no visual[{int(value)}]; there are {len(visuals)}")
            found[names.pop(0)] = visuals[value][0].name
        else:
            found[names.pop(0)] = list(value) if isinstance(value, tuple) else value
    return found
