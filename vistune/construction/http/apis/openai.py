"""OpenAI's chat completions, which vLLM, SGLang, llama-server and most hosted services speak, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vistune.completer import FunctionCall, Message, Reply, Request
from vistune.construction.http.pictures import sent
from vistune.sample import Media


class Openai:
    """POST chat/completions; the key as a bearer token; pictures as data URLs."""

    key_env = "OPENAI_API_KEY"
    takes_tools = True

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
            "messages": [part for message in request.messages for part in _messages(message)],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
        }
        if request.tools:
            body["tools"] = [dict(tool) for tool in request.tools]
        if request.stop:
            body["stop"] = list(request.stop)
        return body

    def read(self, value: Any) -> tuple[Reply, Mapping[str, Any]]:
        """See `Api`."""
        choice = value["choices"][0]
        usage = value.get("usage") or {}
        # A model that reasons until its tokens are spent has said nothing: null, with a finish and a bill like any reply's.
        text = choice["message"].get("content") if choice["message"].get("tool_calls") else choice["message"]["content"]
        text = "" if text is None and choice.get("finish_reason") else text
        calls = tuple(_call(call) for call in choice["message"].get("tool_calls") or ())
        reply = Reply(text, value.get("model") or "", str(choice.get("finish_reason") or "stop"), calls=calls)
        return reply, {"prompt": usage.get("prompt_tokens"), "completion": usage.get("completion_tokens")}


def _messages(message: Message) -> list[dict[str, Any]]:
    """One message; a function's result that shows pictures is two, since results are texts."""
    if message.calls:
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
        return [{"role": message.role, "content": message.text or None, "tool_calls": calls}]
    if not message.answers:
        return [{"role": message.role, "content": _content(message)}]
    result = {"role": "tool", "tool_call_id": message.answers, "content": message.text}
    shown = [{"role": "user", "content": [_picture(image) for image in message.images]}] if message.images else []
    return [result, *shown]


def _call(value: Any) -> FunctionCall:
    """A call of a reply. Raises `TypeError` for one whose parts are no texts."""
    call = FunctionCall(value["function"]["name"], value["function"]["arguments"], value.get("id") or "")
    if not all(isinstance(text, str) for text in (call.name, call.arguments, call.id)):
        raise TypeError("a call's name, arguments and id are texts")
    return call


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not message.images:
        return message.text
    return [{"type": "text", "text": part} if isinstance(part, str) else _picture(part) for part in message.parts()]


def _picture(image: Media) -> dict[str, Any]:
    kind, data = sent(image)
    return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}
