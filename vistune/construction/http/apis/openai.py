"""OpenAI's chat completions, which vLLM, SGLang, llama-server and most hosted services speak, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vistune.completer import Message, Reply, Request
from vistune.construction.http.pictures import sent
from vistune.sample import Media


class Openai:
    """POST chat/completions; the key as a bearer token; pictures as data URLs."""

    key_env = "OPENAI_API_KEY"

    def path(self, model: str) -> str:
        """See `Api`."""
        return "chat/completions"

    def headers(self, secret: str) -> dict[str, str]:
        """See `Api`."""
        return {"Authorization": f"Bearer {secret}"} if secret else {}

    def body(self, request: Request, model: str) -> dict[str, Any]:
        """See `Api`."""
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": message.role, "content": _content(message)} for message in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
        }
        if request.stop:
            body["stop"] = list(request.stop)
        return body

    def read(self, value: Any) -> tuple[Reply, Mapping[str, Any]]:
        """See `Api`."""
        choice = value["choices"][0]
        usage = value.get("usage") or {}
        # A model that reasons until its tokens are spent has said nothing: null, with a finish and a bill like any reply's.
        text = choice["message"]["content"]
        text = "" if text is None and choice.get("finish_reason") else text
        reply = Reply(text, value.get("model") or "", str(choice.get("finish_reason") or "stop"))
        return reply, {"prompt": usage.get("prompt_tokens"), "completion": usage.get("completion_tokens")}


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not message.images:
        return message.text
    return [{"type": "text", "text": part} if isinstance(part, str) else _picture(part) for part in message.parts()]


def _picture(image: Media) -> dict[str, Any]:
    kind, data = sent(image)
    return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}
