"""Replies as OpenAI's clients read them, whole and in chunks.

Beside OpenAI's fields a choice's message has `vistune`: the regions and media of the answer, where there are any.
"""

from __future__ import annotations

import base64
import io
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from vistune.errors import InputError
from vistune.sample import Media
from vistune.serving.engine.asking import Ended, Likelihood, Said
from vistune.serving.protocol.regions import region_json
from vistune.serving.refusals import Refusal


@dataclass
class Usage:
    """Tokens that were read (media's among them), of which `cached` were known, and written."""

    read: int
    cached: int = 0
    written: int = 0

    def to_json(self) -> dict[str, Any]:
        """As `usage`."""
        return {
            "prompt_tokens": self.read,
            "completion_tokens": self.written,
            "total_tokens": self.read + self.written,
            "prompt_tokens_details": {"cached_tokens": self.cached},
        }


@dataclass
class Answered:
    """One choice while it grows."""

    ended: Ended | None = None
    tokens: list[Likelihood] = field(default_factory=list)


class Form(Protocol):
    """How one answer is written, whole or piece by piece, to who asked for it."""

    limit: str  # the field by which a request of this form says how long an answer may be

    def whole(self, choices: Sequence[Answered], usage: Usage) -> dict[str, Any]:
        """The body of an answer that is complete."""

    def begin(self) -> list[bytes]:
        """The events before the first token."""

    def said(self, said: Said) -> list[bytes]:
        """The events of more text."""

    def ended(self, ended: Ended) -> list[bytes]:
        """The events of a copy's end."""

    def end(self, usage: Usage) -> list[bytes]:
        """The events after all copies' ends."""

    def failed(self, error: Refusal) -> list[bytes]:
        """The last events of an answer that broke off."""


@dataclass
class Completion:
    """A chat completion of `model` with so many `copies`; `told`: with logprobs; `counted`: a stream ends with the usage."""

    model: str
    copies: int = 1
    told: bool = False
    counted: bool = False
    limit: str = "max_tokens"
    id: str = field(default_factory=lambda: new_id("chatcmpl"))

    def whole(self, choices: Sequence[Answered], usage: Usage) -> dict[str, Any]:
        """A chat completion."""
        return {
            **self._head("chat.completion"),
            "choices": [_choice(index, choice, self.told) for index, choice in enumerate(choices)],
            "usage": usage.to_json(),
        }

    def begin(self) -> list[bytes]:
        """Each copy's role, once."""
        return [self._chunk(copy, {"role": "assistant", "content": ""}) for copy in range(self.copies)]

    def said(self, said: Said) -> list[bytes]:
        """A chunk."""
        return [self._chunk(said.copy, {"content": said.text}, None, said.tokens)]

    def ended(self, ended: Ended) -> list[bytes]:
        """The chunk with a copy's `finish_reason`, its regions and media."""
        return [self._chunk(ended.copy, found(ended), ended.reason)]

    def end(self, usage: Usage) -> list[bytes]:
        """The usage, for who asked for it, and the mark that nothing follows."""
        last = {**self._head("chat.completion.chunk"), "choices": [], "usage": usage.to_json()}
        return [*([event(last)] if self.counted else []), b"data: [DONE]\n\n"]

    def failed(self, error: Refusal) -> list[bytes]:
        """The error, in the place of a chunk."""
        return [event(error.to_json())]

    def _chunk(
        self, index: int, delta: Mapping[str, Any], reason: str | None = None, tokens: Sequence[Likelihood] = ()
    ) -> bytes:
        choice = {
            "index": index,
            "delta": dict(delta),
            "logprobs": {"content": likelihoods(tokens)} if tokens else None,
            "finish_reason": reason,
        }
        return event({**self._head("chat.completion.chunk"), "choices": [choice]})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": int(time.time()), "model": self.model}


def event(value: Mapping[str, Any]) -> bytes:
    """A server-sent event; of a `type` where the value has one."""
    head = f"event: {value['type']}\n".encode() if "type" in value else b""
    return head + b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def found(ended: Ended) -> dict[str, Any]:
    """The regions and media of an answer under our key; empty where there are none."""
    extra: dict[str, Any] = {}
    if ended.regions:
        extra["regions"] = [region_json(region) for region in ended.regions]
        for record, span in zip(extra["regions"], ended.spans, strict=False):
            record["span"] = list(span)
    if ended.media:
        extra["media"] = [_medium(medium) for medium in ended.media]
    return {"vistune": extra} if extra else {}


def likelihoods(tokens: Sequence[Likelihood]) -> list[dict[str, Any]]:
    """`logprobs` of an answer's tokens."""
    return [{**_likely(each.text, each.logprob), "top_logprobs": [_likely(*top) for top in each.top]} for each in tokens]


def new_id(kind: str) -> str:
    """An id for something of this kind."""
    return f"{kind}-{secrets.token_hex(12)}"


def _likely(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": max(logprob, -9999.0), "bytes": list(text.encode())}


def _choice(index: int, choice: Answered, told: bool) -> dict[str, Any]:
    ended = choice.ended
    assert ended is not None
    message = {"role": "assistant", "content": ended.text, "refusal": None, **found(ended)}
    logprobs = {"content": likelihoods(choice.tokens)} if told else None
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": ended.reason}


def _medium(medium: Media) -> dict[str, Any]:
    """A medium that was made, as a data URL: a picture as PNG, a film as an animated PNG, anything else as an NPY array."""
    from PIL import Image

    buffer = io.BytesIO()
    if isinstance(medium.data, bytes):
        return {"kind": medium.kind, "url": "data:application/octet-stream;base64," + base64.b64encode(medium.data).decode()}
    if not isinstance(medium.data, np.ndarray):
        raise InputError(f"a made {medium.kind} has no content")
    if medium.kind in ("image", "video"):
        frames = [Image.fromarray(frame) for frame in (medium.data if medium.kind == "video" else medium.data[None])]
        frames[0].save(buffer, "PNG", **({"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}))
        mime = "image/png"
    else:
        np.save(buffer, medium.data, allow_pickle=False)
        mime = "application/x-npy"
    return {"kind": medium.kind, "url": f"data:{mime};base64,{base64.b64encode(buffer.getvalue()).decode()}"}
