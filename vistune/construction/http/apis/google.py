"""Google's generateContent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vistune.completer import Message, Reply, Request
from vistune.construction.http.pictures import sent
from vistune.sample import Media


class Google:
    """POST models/MODEL:generateContent; the key in a header; the assistant is called `model`."""

    key_env = "GEMINI_API_KEY"
    takes_tools = False

    def path(self, model: str) -> str:
        """See `Api`."""
        return f"models/{model.removeprefix('models/')}:generateContent"

    def headers(self, secret: str) -> dict[str, str]:
        """See `Api`."""
        return {"x-goog-api-key": secret} if secret else {}

    def body(self, request: Request, model: str) -> dict[str, Any]:
        """See `Api`."""
        system = "\n".join(message.text for message in request.messages if message.role == "system")
        settings: dict[str, Any] = {
            "maxOutputTokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
        }
        if request.stop:
            settings["stopSequences"] = list(request.stop)
        body: dict[str, Any] = {
            "contents": [
                {"role": "model" if message.role == "assistant" else "user", "parts": _parts(message)}
                for message in request.messages
                if message.role != "system"
            ],
            "generationConfig": settings,
        }
        if system:
            body["systemInstruction"] = {"parts": [{"text": system}]}
        return body

    def read(self, value: Any) -> tuple[Reply, Mapping[str, Any]]:
        """See `Api`."""
        if not value.get("candidates") and value.get("promptFeedback"):
            return Reply("", error=f"the prompt was blocked: {value['promptFeedback'].get('blockReason')}"), {}
        candidate = value["candidates"][0]
        # A model that thinks until its tokens are spent leaves the parts out, with a finish and a bill like any reply's.
        finish = candidate.get("finishReason")
        parts = (candidate.get("content") or {}).get("parts") or [] if finish else candidate["content"]["parts"]
        text = "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))
        usage = value.get("usageMetadata") or {}
        reply = Reply(text, value.get("modelVersion") or "", str(finish or "stop").lower())
        return reply, {"prompt": usage.get("promptTokenCount"), "completion": usage.get("candidatesTokenCount")}


def _parts(message: Message) -> list[dict[str, Any]]:
    return [{"text": part} if isinstance(part, str) else _picture(part) for part in message.parts()]


def _picture(image: Media) -> dict[str, Any]:
    kind, data = sent(image)
    return {"inline_data": {"mime_type": kind, "data": data}}
