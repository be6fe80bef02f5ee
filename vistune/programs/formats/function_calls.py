"""Function calls as OpenAI's chat speaks them: tools as JSON schemas, calls in the reply, results by the call's id."""

from __future__ import annotations

import json

from vistune.completer import FunctionCall, Message, Reply, Request
from vistune.programs.formats.base import Call, Said, Step, Talk, UnreadableError, listed, turns

SYSTEM = (
    "You help people with pictures and texts, and call functions to look at pictures and to change them. A function is given "
    "pictures by the names that stand in the conversation. Keep to what the functions return."
)


class FunctionCalls:
    """The format `function_calls`. A reply without calls is the answer; several calls of one reply run one after the other."""

    def __init__(self, system: str = SYSTEM, max_tokens: int = 512) -> None:
        self._system, self._max_tokens = system, max_tokens

    def request(self, talk: Talk) -> Request:
        """System sentence, earlier turns, the question with the media that were shown, and a call and its results a step."""
        asked = Message("user", f"{listed(talk.shown)}{talk.question}")
        steps = [message for step in talk.steps for message in _step(step)]
        messages = (
            Message("system", self._system),
            *turns(talk.earlier),
            asked,
            *steps,
        )
        return Request(messages, self._max_tokens, tools=tuple(tool.schema() for tool in talk.tools))

    def read(self, reply: Reply, talk: Talk) -> Said:
        """The calls, whose arguments must be objects; else the text is the answer."""
        calls = []
        for number, call in enumerate(reply.calls):
            try:
                arguments = json.loads(call.arguments or "{}")
            except (ValueError, RecursionError) as error:
                raise UnreadableError(f"the arguments of {call.name!r} are not JSON: {call.arguments[:80]!r}") from error
            if not isinstance(arguments, dict):
                raise UnreadableError(f"the arguments of {call.name!r} are {call.arguments[:80]!r}, expected an object")
            calls.append(Call(call.name, arguments, call.id or f"call_{len(talk.steps)}_{number}"))
        if not calls and not reply.text.strip():
            raise UnreadableError("the reply is empty")
        return Said(reply.text, tuple(calls), "" if calls else reply.text.strip())


def _step(step: Step) -> list[Message]:
    calls = tuple(FunctionCall(call.tool, json.dumps(call.arguments, ensure_ascii=False), call.id) for call in step.said.calls)
    said = Message("assistant", step.said.text, calls=calls)
    results = [Message("user", seen, answers=call.id) for call, seen in zip(calls, step.observations, strict=True)]
    return [said, *results]
