"""The protocol between us and any language model that completes a conversation: an endpoint, a local model, a replay file.

Builders of instruction data and judges of answers know only this file; the completers themselves live in
`vistune/construction/completers/`. A completer answers requests in the order they were given, one reply each:

    for request, reply in zip(requests, completer.complete(requests), strict=True): ...
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from vistune.sample import Media, Role


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A model's wish to have a function called: its name, the arguments as JSON text, and an id that the result answers to."""

    name: str
    arguments: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a request: a role, its text, and the pictures it shows.

    `places` says before which character of the text each picture stands, in order; without it all stand before the text.
    An assistant's message may hold `calls` of functions, and a user's be the result that `answers` one, named by its id.
    """

    role: Role
    text: str
    images: tuple[Media, ...] = ()
    places: tuple[int, ...] = ()
    calls: tuple[FunctionCall, ...] = ()
    answers: str = ""

    def parts(self) -> list[str | Media]:
        """Pictures and stretches of text in the order they are read; no stretch is empty unless there is nothing else."""
        found: list[str | Media] = []
        before = 0
        for image, place in zip(self.images, self.places or (0,) * len(self.images), strict=True):
            found += [self.text[before:place], image]
            before = place
        return [part for part in (*found, self.text[before:]) if part != ""] or [""]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `temperature` 0 means greedy; `seed` goes to completers that sample; `stop` texts end the reply.
    `tools` are functions the model may call, as OpenAI's chat describes them.

    `id` says which record asked; it is for logs and never part of the `key`.
    """

    messages: tuple[Message, ...]
    max_tokens: int = 1024
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    id: str = ""
    tools: tuple[Mapping[str, Any], ...] = ()

    def key(self) -> str:
        """Hex SHA-256 over everything that can change the reply: messages, image bytes and sampling arguments."""
        # Sorted keys and the pictures' own bytes: the same question has the same key in any process and from any folder.
        return hashlib.sha256(json.dumps(self._content(), sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def _content(self) -> dict[str, Any]:
        return {
            "messages": [
                {"role": message.role, "text": message.text, "images": [_digest(image) for image in message.images]}
                # Only where there are some: requests of before keep their keys, and what was bought for them is found again.
                | ({"places": list(message.places)} if message.places else {})
                | ({"calls": [asdict(call) for call in message.calls]} if message.calls else {})
                | ({"answers": message.answers} if message.answers else {})
                for message in self.messages
            ],
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "seed": self.seed,
            "stop": list(self.stop),
        } | ({"tools": [dict(tool) for tool in self.tools]} if self.tools else {})


def _digest(image: Media) -> str:
    return hashlib.sha256(image.read_bytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, unedited. `finish` is the model's own word (`stop`, `length`, ...); tokens are 0 where unknown.

    `error` is not empty when no reply could be had (retries spent, refused by the endpoint): `text` is then empty, and the
    caller must count the record as failed. `calls` are of functions, which a request with `tools` may be answered by.
    """

    text: str
    model: str = ""
    finish: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    error: str = ""
    calls: tuple[FunctionCall, ...] = ()


class Completer(Protocol):
    """Anything that answers requests: exactly one reply each, in the order of the requests."""

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Answer the requests. A failed request yields a `Reply` with `error` set; it never ends the run."""
        ...
