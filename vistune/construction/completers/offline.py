"""`offline`: answers about the embedded world from its scenes' truth, by rule; nothing is downloaded and nobody is asked.

It stands in for a language model on a machine without one, so that pipelines run from end to end and what they make can
teach a model. It draws a record's scene again from its seed and answers with the world's own tasks, in the reply format that
the prompt asks for. What it makes is as plain as its rules: traces and `run.json` name it as the writer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from vistune.completer import Reply, Request
from vistune.construction.http.wire import prompt_tokens, text_tokens
from vistune.construction.offline import calls, making, regions, rewriting, scenes, senses, several, tongues, wishes
from vistune.construction.offline.asked import Asked, Rule
from vistune.construction.prompt import Ask
from vistune.construction.running.account import Account
from vistune.errors import InputError

MODEL = "offline (rules over the truth of the embedded world)"
_PICTURES = (scenes, regions, wishes, calls, several, making, rewriting, tongues)
RULES: Mapping[str, Rule] = {kind: rule for room in _PICTURES for kind, rule in room.RULES.items()}
"""By the kind of what is asked for; `senses` has its own about films, sounds, solids and pages."""


class Offline:
    """The completer `offline`. `turns`: questions in a conversation, at most."""

    def __init__(self, turns: int = 6) -> None:
        self.account = Account()
        self._turns = turns

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Answer in order. Raises `InputError` for records that are not of the world and for tasks without a rule."""
        for request in requests:
            text = self._answer(request)
            reply = Reply(text, MODEL, "stop", prompt_tokens(request), text_tokens(text))
            self.account.asked += 1
            self.account.answered += 1
            self.account.prompt_tokens += reply.prompt_tokens
            self.account.completion_tokens += reply.completion_tokens
            yield reply

    def _answer(self, request: Request) -> str:
        """The reply; empty, which rejects the record, where the truth gives nothing to say."""
        if not isinstance(request, Ask) or request.prompt is None or request.record is None:
            raise InputError("the offline completer answers only what a pipeline asks about a record")
        asked = Asked(request.prompt, request.record, request.seed or 0, self._turns)
        items = _rule(asked)(asked)
        return request.prompt.format.write(items) if items else ""


def _rule(asked: Asked) -> Rule:
    kind, sense = asked.prompt.kind, asked.record.meta.get("sense")
    rules = RULES if sense is None else {**RULES, **senses.RULES}
    if kind not in rules:
        raise InputError(
            f"the offline completer has no rule for the task {kind!r} about {sense or 'pictures'} (it has "
            f"{', '.join(rules)}): give --completer, for example endpoint:http://127.0.0.1:8000/v1?model=NAME"
        )
    return rules[kind]
