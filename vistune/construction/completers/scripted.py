"""`scripted`: replies written beforehand, for tests and rehearsals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from vistune.completer import Reply, Request
from vistune.construction.http.wire import prompt_tokens, text_tokens
from vistune.construction.running.account import Account
from vistune.construction.running.store import reply_from
from vistune.errors import InputError
from vistune.files import read_jsonl


class Scripted:
    """Answers in order with the lines of a JSONL file (each a text, or an object with the fields of `Reply`), or with what
    a function of the request gives. Raises `InputError` when the script ends before the requests do."""

    def __init__(self, path: str | None = None, answer: Callable[[Request], str | Reply] | None = None) -> None:
        if (path is None) == (answer is None):
            raise InputError("a scripted completer takes a file or a function, exactly one of them")
        self.account = Account()
        self._lines = iter([(path, number, value) for number, value in read_jsonl(path)]) if path else iter(())
        self._answer = answer

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """The script, in order."""
        for request in requests:
            reply = self._answer(request) if self._answer else self._next()
            reply = _counted(reply, request) if isinstance(reply, str) else reply
            self.account.asked += 1
            self.account.answered += not reply.error
            self.account.prompt_tokens += reply.prompt_tokens
            self.account.completion_tokens += reply.completion_tokens
            yield reply

    def _next(self) -> str | Reply:
        line = next(self._lines, None)
        if line is None:
            raise InputError("the script has fewer replies than there are requests")
        path, number, value = line
        if isinstance(value, str):
            return value
        try:
            return reply_from(value)
        except TypeError as error:
            raise InputError(f"{path}: line {number}: expected a text or a reply's fields ({error})") from error


def _counted(text: str, request: Request) -> Reply:
    return Reply(text, "scripted", prompt_tokens=prompt_tokens(request), completion_tokens=text_tokens(text))
