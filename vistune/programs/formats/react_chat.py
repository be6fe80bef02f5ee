"""ReAct over the turns of a chat (Yao et al., arXiv 2210.03629, in GPT4Tools' words).

A call is an answer, and what it gave is the next question. Prompts are short: this is for planners that know their tools, such
as a model tuned by the recipe `gpt4tools` on the world's errands.
"""

from __future__ import annotations

from vistune.completer import Message, Reply, Request
from vistune.programs.formats.base import Said, Talk, turns
from vistune.programs.formats.react_gpt4tools import STOP, described, read_react


class ReactChat:
    """The format `react_chat`. `tools`: tell what the tools are in a system sentence, to a planner not tuned on them."""

    def __init__(self, tools: bool = False, max_tokens: int = 256) -> None:
        self._tools, self._max_tokens = tools, max_tokens

    def request(self, talk: Talk) -> Request:
        """The media that were shown, by name, with the question; then a call and its observation a step."""
        system = (Message("system", described(talk.tools)),) if self._tools else ()
        shown = "".join(f"{held.name}: {about}\n" if about else f"{held.name}\n" for held, about in talk.shown)
        steps = [
            message
            for step in talk.steps
            for message in (
                Message("assistant", step.said.text.strip()),
                Message("user", f"Observation: {' '.join(step.observations)}"),
            )
        ]
        asked = Message("user", f"{shown}{talk.question}")
        return Request((*system, *turns(talk.earlier), asked, *steps), self._max_tokens, stop=(STOP,))

    def read(self, reply: Reply, talk: Talk) -> Said:
        """As GPT4Tools' replies are read."""
        return read_react(reply.text)
