"""A whole plan at once, in JSON: a list of calls, whose arguments may name what an earlier one made, and an answer.

    [{"tool": "detect", "arguments": {"image": "image/1.png", "what": "dog"}},
     {"tool": "crop", "arguments": {"image": "image/1.png", "region": "$1"}},
     {"answer": "The dog is cut out in $2."}]

`$1` is what the first call gave: the name of the medium it made, else its region, else its text (as in HuggingGPT's
resource dependency, Shen et al., arXiv 2303.17580, section 3.2).
"""

from __future__ import annotations

import json
import re

from vistune.completer import Message, Reply, Request
from vistune.programs.formats.base import Call, Said, Talk, UnreadableError, listed, turns

SYSTEM = (
    "You plan how a wish is fulfilled with tools. Write one JSON list and nothing else. Each element is a call, "
    '{"tool": NAME, "arguments": {...}}, and the last one is {"answer": TEXT}. $1 in arguments and in the answer stands for '
    "what the first call gave, $2 for the second, and so on. Tools are given pictures by the names in the conversation."
)
_FENCE = re.compile(r"^```(?:json)?\s*|\s*```$")


class JsonPlan:
    """The format `json_plan`: one reply holds all calls and the answer."""

    def __init__(self, system: str = SYSTEM, max_tokens: int = 1024) -> None:
        self._system, self._max_tokens = system, max_tokens

    def request(self, talk: Talk) -> Request:
        """The tools' schemas, earlier turns and the question."""
        tools = json.dumps([tool.schema()["function"] for tool in talk.tools], ensure_ascii=False)
        system = Message("system", f"{self._system}\n\nTools: {tools}")
        asked = Message("user", f"{listed(talk.shown)}{talk.question}")
        return Request((system, *turns(talk.earlier), asked), self._max_tokens)

    def read(self, reply: Reply, talk: Talk) -> Said:
        """The plan. Raises `UnreadableError` where it is no list of calls that ends in an answer."""
        try:
            plan = json.loads(_FENCE.sub("", reply.text.strip()))
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"the plan is not JSON: {reply.text[:80]!r}") from error
        if not isinstance(plan, list) or not plan or not all(isinstance(step, dict) for step in plan):
            raise UnreadableError("the plan is no list of objects")
        *steps, last = plan
        if not isinstance(last.get("answer"), str):
            raise UnreadableError("the plan's last element has no answer")
        for number, step in enumerate(steps, 1):
            if not isinstance(step.get("tool"), str) or not isinstance(step.get("arguments"), dict):
                raise UnreadableError(f"step {number} of the plan has no tool or no arguments")
        calls = tuple(Call(step["tool"], step["arguments"], f"${number}") for number, step in enumerate(steps, 1))
        return Said(reply.text, calls, last["answer"])
