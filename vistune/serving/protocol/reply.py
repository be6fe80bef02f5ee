"""Replies as OpenAI's clients read them: whole, in chunks, and the models that are served.

Beside OpenAI's fields a choice's message has `vistune`: the regions and media of the answer, where there are any.
"""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vistune.errors import InputError
from vistune.sample import Media
from vistune.serving.engine.asking import Ended, Likelihood
from vistune.serving.protocol.regions import region_json


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


def whole(id: str, model: str, choices: Sequence[Answered], usage: Usage, told: bool) -> dict[str, Any]:
    """A chat completion."""
    return {
        **_head(id, "chat.completion", model),
        "choices": [_choice(index, choice, told) for index, choice in enumerate(choices)],
        "usage": usage.to_json(),
    }


def chunk(
    id: str, model: str, index: int, delta: Mapping[str, Any], reason: str | None = None, tokens: Sequence[Likelihood] = ()
) -> dict[str, Any]:
    """A piece of a streamed completion."""
    choice = {
        "index": index,
        "delta": dict(delta),
        "logprobs": likelihoods(tokens) if tokens else None,
        "finish_reason": reason,
    }
    return {**_head(id, "chat.completion.chunk", model), "choices": [choice]}


def usage_chunk(id: str, model: str, usage: Usage) -> dict[str, Any]:
    """The last piece, for who asked for it."""
    return {**_head(id, "chat.completion.chunk", model), "choices": [], "usage": usage.to_json()}


def event(value: Mapping[str, Any]) -> bytes:
    """A server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


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


def likelihoods(tokens: Sequence[Likelihood]) -> dict[str, Any]:
    """`logprobs` of a choice."""
    return {
        "content": [
            {**_likely(each.text, each.logprob), "top_logprobs": [_likely(*top) for top in each.top]} for each in tokens
        ]
    }


def _likely(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": max(logprob, -9999.0), "bytes": list(text.encode())}


def _head(id: str, kind: str, model: str) -> dict[str, Any]:
    return {"id": id, "object": kind, "created": int(time.time()), "model": model}


def _choice(index: int, choice: Answered, told: bool) -> dict[str, Any]:
    ended = choice.ended
    assert ended is not None
    message = {"role": "assistant", "content": ended.text, "refusal": None, **found(ended)}
    logprobs = likelihoods(choice.tokens) if told else None
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
