"""Anthropic's messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vistune.completer import Message, Reply, Request
from vistune.construction.http.pictures import sent
from vistune.sample import Media


class Anthropic:
    """POST messages; the key in a header of its own; what the system says stands beside the messages; no seed."""

    key_env = "ANTHROPIC_API_KEY"
    takes_tools = False

    def path(self, model: str) -> str:
        """See `Api`."""
        return "messages"

    def headers(self, secret: str) -> dict[str, str]:
        """See `Api`."""
        return {"anthropic-version": "2023-06-01"} | ({"x-api-key": secret} if secret else {})

    def body(self, request: Request, model: str) -> dict[str, Any]:
        """See `Api`."""
        system = "\n".join(message.text for message in request.messages if message.role == "system")
        body: dict[str, Any] = {
            "model": model,
            "messages": [
                {"role": message.role, "content": _content(message)} for message in request.messages if message.role != "system"
            ],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
        }
        if system:
            body["system"] = system
        if request.stop:
            body["stop_sequences"] = list(request.stop)
        return body

    def read(self, value: Any) -> tuple[Reply, Mapping[str, Any]]:
        """See `Api`."""
        blocks = value["content"]
        if not blocks and value["stop_reason"] == "refusal":
            return Reply("", error="the model declined to answer"), {}
        text = "".join(block["text"] for block in blocks if block["type"] == "text")
        usage = value.get("usage") or {}
        reply = Reply(text, value.get("model") or "", str(value.get("stop_reason") or "stop"))
        return reply, {"prompt": usage.get("input_tokens"), "completion": usage.get("output_tokens")}


def _content(message: Message) -> list[dict[str, Any]]:
    return [{"type": "text", "text": part} if isinstance(part, str) else _picture(part) for part in message.parts()]


def _picture(image: Media) -> dict[str, Any]:
    kind, data = sent(image)
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}
