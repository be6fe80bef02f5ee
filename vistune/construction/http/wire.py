"""A `Request` as the bytes of a body, a response's bytes as a `Reply`, whichever provider's format they are in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeGuard

from vistune.completer import Reply, Request
from vistune.construction.http.apis.base import Api
from vistune.errors import InputError


class BadReplyError(ValueError):
    """A response that is not what the format says."""


def body_of(api: Api, request: Request, model: str, extra: Mapping[str, Any]) -> bytes:
    """The body of a request. `extra` adds keys or, with None, takes keys away that a model does not know."""
    if request.tools and not api.takes_tools:
        raise InputError(f"functions are called over api=openai alone, not over {type(api).__name__.lower()}")
    body = api.body(request, model) | dict(extra)
    return json.dumps({key: value for key, value in body.items() if value is not None}, ensure_ascii=False).encode()


def reply_of(api: Api, content: bytes, request: Request, model: str) -> Reply:
    """Read a response body. Raises `BadReplyError` when it is cut, is no JSON, or has no reply in it that can be written."""
    try:
        reply, counts = api.read(json.loads(content))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BadReplyError(f"{type(error).__name__} in a body of {len(content)} bytes") from error
    if not isinstance(reply.text, str):
        raise BadReplyError("the reply has no text")
    try:
        f"{reply.text}{reply.model}{reply.finish}{reply.error}".encode()
    except UnicodeEncodeError as error:  # JSON can name half a character, which no file takes
        raise BadReplyError("the reply holds half a character") from error
    prompt, completion = counts.get("prompt"), counts.get("completion")
    return replace(
        reply,
        model=str(reply.model or model),
        # Endpoints that leave the counts away are estimated: a budget that counted nothing would never end.
        prompt_tokens=prompt if _counts(prompt) else prompt_tokens(request),
        completion_tokens=completion if _counts(completion) else text_tokens(reply.text),
    )


def _counts(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and value >= 0


def text_tokens(text: str) -> int:
    """About how many tokens a text has: four bytes each, rounded up. For budgets and estimates, never for bills."""
    # Bytes and not characters: Chinese takes about a token a character, which is three bytes.
    return -(-len(text.encode()) // 4)


def prompt_tokens(request: Request) -> int:
    """About how many tokens a request has; a picture counts 1,000."""
    return sum(text_tokens(message.text) + 4 + 1000 * len(message.images) for message in request.messages)
