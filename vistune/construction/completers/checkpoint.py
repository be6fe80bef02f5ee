"""`checkpoint`: a model that was tuned here, in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import Any

from vistune.completer import Message, Reply, Request
from vistune.construction.http.wire import prompt_tokens, text_tokens
from vistune.construction.running.account import Account
from vistune.errors import InputError
from vistune.sample import Media, MediaRef, Part, Sample, Text, Turn


class Checkpoint:
    """A checkpoint's folder, read when it is first asked. `batch`: requests generated together.

    Counts of tokens are estimates (four bytes each). Raises `InputError` for requests that call functions: such a model speaks
    of calls in text.
    """

    def __init__(self, path: str, batch: int = 8) -> None:
        self.account = Account()
        self._path, self._batch = path, batch

    @cached_property
    def _model(self) -> Any:
        from vistune.model.answering.opening import load

        return load(self._path)

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Answer in order, a batch at a time."""
        source = iter(requests)
        while chunk := list(islice(source, self._batch)):
            replies: dict[int, Reply] = {}
            for alike in _alike(chunk):
                first = chunk[alike[0]]
                sampling: dict[str, Any] = {"do_sample": True, "temperature": first.temperature} if first.temperature else {}
                if sampling:
                    import torch

                    torch.manual_seed(first.seed)
                texts = self._model.generate([_sample(chunk[index]) for index in alike], first.max_tokens, **sampling)
                replies |= {index: self._reply(chunk[index], text) for index, text in zip(alike, texts, strict=True)}
            yield from (replies[index] for index in range(len(chunk)))

    def _reply(self, request: Request, text: str) -> Reply:
        for stop in request.stop:
            text = text.partition(stop)[0]
        reply = Reply(text, self._path, "stop", prompt_tokens(request), text_tokens(text))
        self.account.asked += 1
        self.account.answered += 1
        self.account.prompt_tokens += reply.prompt_tokens
        self.account.completion_tokens += reply.completion_tokens
        return reply


def _alike(requests: list[Request]) -> list[list[int]]:
    """Places of requests with equal sampling arguments."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, request in enumerate(requests):
        if request.tools:
            raise InputError("a model tuned here speaks of calls in text: give a format such as react_gpt4tools")
        groups.setdefault((request.max_tokens, request.temperature, request.seed), []).append(index)
    return list(groups.values())


def _sample(request: Request) -> Sample:
    media: list[Media] = []
    turns = tuple(Turn(message.role, _parts(message, media)) for message in request.messages)
    return Sample(request.id or "request", tuple(media), turns)


def _parts(message: Message, media: list[Media]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for part in message.parts():
        if isinstance(part, str):
            parts.append(Text(part))
        else:
            media.append(part)
            parts.append(MediaRef(len(media) - 1))
    return tuple(parts)
