"""A dry run: the first requests in full and what a run would cost, without asking anyone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vistune.completer import Reply, Request
from vistune.construction.http.wire import prompt_tokens, text_tokens
from vistune.construction.kit import Kit
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Ask
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.sample import Media


@dataclass(slots=True)
class Rehearsal:
    """A completer that answers every request with its prompt's demonstration, or with nothing when it `fails`, and counts.

    Tokens are estimated at four bytes each. `most` counts every reply at its full `max_tokens`; `depends` says that some
    requests were made from earlier replies, so that a run may make any number of them.
    """

    fails: bool = False
    shown: list[Request] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    most: int = 0
    depends: bool = False

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Demonstrations or nothings, in order."""
        for request in requests:
            assert isinstance(request, Ask) and request.prompt is not None and request.record is not None
            # A record that has had a reply is being asked about it: the number of such requests depends on what is said.
            self.depends = self.depends or bool(request.record.exchanges)
            text = "" if self.fails else request.prompt.format.write(request.prompt.shot[1])
            self.requests[request.prompt.name] += 1
            self.prompt_tokens += prompt_tokens(request)
            self.completion_tokens += text_tokens(text)
            self.most += request.max_tokens
            if len(self.shown) < 3:
                self.shown.append(request)
            yield Reply(text, "rehearsal")


class _Blank:
    """Stands in for a painter: an empty medium."""

    def paint(self, kind: str, description: str) -> Media:
        return Media("image", data=b"")


def rehearse(pipeline: Pipeline, records: Iterable[Record], kit: Kit, fails: bool = False) -> Rehearsal:
    """Run a pipeline with demonstrations for replies, or with replies that are all empty; nothing is written."""
    rehearsal = Rehearsal(fails)
    stand_in = Kit(rehearsal, rehearsal, kit.labelers, _Blank(), None, kit.decisions, kit.seed)
    for _ in finished(pipeline, records, stand_in):
        pass
    return rehearsal


def printed(request: Request) -> str:
    """A request as text: every message in full, pictures by name."""
    lines = []
    for message in request.messages:
        pictures = "".join(f"[{image.name}]\n" for image in message.images)
        lines.append(f"--- {message.role}\n{pictures}{message.text}")
    lines.append(f"--- up to {request.max_tokens} tokens, temperature {request.temperature:g}, seed {request.seed}")
    return "\n".join(lines)
