"""The OpenAI-compatible chat format: a `Request` as a JSON body, a response body as a `Reply`."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from vistune.completer import Message, Reply, Request
from vistune.errors import InputError
from vistune.sample import Media

_SIGNATURES = (
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)


class BadReplyError(ValueError):
    """A response that is not what the format says."""


def body_of(request: Request, model: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON body of a chat completion."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
    }
    if request.stop:
        body["stop"] = list(request.stop)
    return body | dict(extra)


def _message(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.text}
    parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in message.images]
    return {"role": message.role, "content": [*parts, {"type": "text", "text": message.text}]}


def _data_url(image: Media) -> str:
    content = image.read_bytes()
    kind = next((mime for signature, mime in _SIGNATURES if content.startswith(signature)), None)
    if kind is None:
        raise InputError(f"{image.name} is none of PNG, JPEG, GIF, WebP, which are what an endpoint takes")
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def reply_of(content: bytes, request: Request, model: str) -> Reply:
    """Read a response body. Raises `BadReplyError` when it is cut, is no JSON, or has no reply in it."""
    try:
        value = json.loads(content)
        choice = value["choices"][0]
        text = choice["message"]["content"]
        usage = value.get("usage") or {}
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BadReplyError(f"{type(error).__name__} in a body of {len(content)} bytes") from error
    if not isinstance(text, str):
        raise BadReplyError("the reply has no text")
    return Reply(
        text=text,
        model=str(value.get("model") or model),
        finish=str(choice.get("finish_reason") or "stop"),
        prompt_tokens=prompt if isinstance(prompt, int) else prompt_tokens(request),
        completion_tokens=completion if isinstance(completion, int) else text_tokens(text),
    )


def text_tokens(text: str) -> int:
    """About how many tokens a text has: four bytes each, rounded up. For budgets and estimates, never for bills."""
    return -(-len(text.encode()) // 4)


def prompt_tokens(request: Request) -> int:
    """About how many tokens a request has; a picture counts 1,000."""
    return sum(text_tokens(message.text) + 4 + 1000 * len(message.images) for message in request.messages)
