"""Stand-ins for the models a pipeline works with: scripted completers, a labeler, a painter."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vistune.completer import Reply, Request
from vistune.construction.completers.scripted import Scripted
from vistune.construction.facts import Facts
from vistune.construction.kit import Kit
from vistune.construction.prompt import Ask
from vistune.sample import Media, Region


class Detector:
    """Finds the dog and the ball of the test photographs."""

    def label(self, medium: Media) -> Facts:
        dog, ball = Region(box=(0.1, 0.1, 0.4, 0.9), label="dog"), Region(box=(0.6, 0.5, 0.8, 0.9), label="ball")
        return Facts(objects=(dog, ball))


class Painter:
    """Makes an empty medium of the kind."""

    def paint(self, kind: str, description: str) -> Media:
        return Media(kind, data=description.encode())  # type: ignore[arg-type]


def scripted(replies: Mapping[str, str]) -> Scripted:
    """Answers each step with its reply, or with the prompt's own demonstration."""

    def answer(request: Request) -> str:
        assert isinstance(request, Ask) and request.prompt is not None
        prompt = request.prompt
        return replies.get(prompt.name) or prompt.format.write(prompt.shot[1])

    return Scripted(answer=answer)


def always(reply: Reply) -> Scripted:
    """Answers everything with one reply."""
    return Scripted(answer=lambda request: reply)


def kit(completer: Scripted, **further: object) -> Kit:
    """A kit in which one completer writes and sees."""
    return Kit(completer, completer, {"objects": Detector()}, Painter(), **further)  # type: ignore[arg-type]


Answer = Callable[[Request], str]
