"""OpenAI's responses: another way to ask the same question, read here into what a chat completion asks, and written back.

Nothing is kept: `previous_response_id` and `store` are refused, and a conversation is sent whole, as `input`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vistune.sample import Text, Turn
from vistune.serving.engine.asking import Ended, Likelihood, Said
from vistune.serving.protocol.content import Reader
from vistune.serving.protocol.fields import mapping, no_others, one_of, shown, text, whole
from vistune.serving.protocol.reply import Answered, Usage, event, found, likelihoods, new_id
from vistune.serving.protocol.request import IDLE, Chat, read_chat, refuse_idle
from vistune.serving.refusals import Refusal

_LOGPROBS = "message.output_text.logprobs"
# What a chat completion takes under the same name, and with the same meaning.
_SHARED = ("model", "temperature", "top_p", "stream", "top_logprobs")
READ = (*_SHARED, "input", "instructions", "max_output_tokens", "text", "include")
_IDLE: Mapping[str, tuple[Any, ...]] = {
    **{name: values for name, values in IDLE.items() if name not in ("logit_bias", "modalities")},
    "truncation": ("disabled",),
    "background": (False,),
    "reasoning": ({},),
    "prompt_cache_key": (),
}
_TEXTS = ("input_text", "output_text")


def read_response(body: Mapping[str, Any], reader: Reader, id: str, most: int) -> Chat:
    """A response that is asked for; it takes at most `most` tokens. Raises `Refusal`."""
    given = {name: value for name, value in body.items() if value is not None}
    refuse_idle(given, _IDLE)
    no_others(given, (*READ, *_IDLE), "")
    told = _told(given)
    chat = {name: given[name] for name in _SHARED if name in given} | {"logprobs": told}
    if "max_output_tokens" in given:
        chat["max_tokens"] = whole(given["max_output_tokens"], Response.limit, 1, most)
    if "text" in given:
        chat["response_format"] = _format(given["text"])
    chat["messages"] = _messages(given.get("input"))
    asked = read_chat(chat, reader, id, most, field="input")
    instructions = None if "instructions" not in given else text(given["instructions"], "instructions")
    sample = asked.ask.sample
    if instructions is not None:
        sample = replace(sample, turns=(Turn("system", (Text(instructions),)), *sample.turns))
    sampling = asked.ask.sampling
    form = Response(
        asked.model,
        {
            "instructions": instructions,
            "max_output_tokens": given.get("max_output_tokens"),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "text": {"format": {"type": "text"}, **given.get("text", {})},
            "metadata": given.get("metadata", {}),
        },
        told,
    )
    return replace(asked, ask=replace(asked.ask, sample=sample), form=form)


@dataclass
class Response:
    """A response of `model`, which repeats what was `asked`; `told`: with logprobs."""

    model: str
    asked: Mapping[str, Any]
    told: bool = False
    limit: str = "max_output_tokens"
    id: str = field(default_factory=lambda: new_id("resp"))
    item: str = field(default_factory=lambda: new_id("msg"))
    tokens: list[Likelihood] = field(default_factory=list)
    ended_as: Ended | None = None
    number: int = 0

    def whole(self, choices: Sequence[Answered], usage: Usage) -> dict[str, Any]:
        """The response, complete."""
        (choice,) = choices
        self.ended_as, self.tokens = choice.ended, choice.tokens
        return self._response(usage)

    def begin(self) -> list[bytes]:
        """The response, its one message and that message's one text, all empty."""
        part = {**self._place, "part": _part("", [])}
        return [
            self._event("response.created", {"response": self._state("in_progress")}),
            self._event("response.in_progress", {"response": self._state("in_progress")}),
            self._event("response.output_item.added", {"output_index": 0, "item": self._message("in_progress", [])}),
            self._event("response.content_part.added", part),
        ]

    def said(self, said: Said) -> list[bytes]:
        """More text."""
        self.tokens += said.tokens
        delta = {**self._place, "delta": said.text, "logprobs": likelihoods(said.tokens) if self.told else []}
        return [self._event("response.output_text.delta", delta)]

    def ended(self, ended: Ended) -> list[bytes]:
        """The text, its part and the message, complete."""
        self.ended_as = ended
        message = self._answer()
        (part,) = message["content"]
        done = {**self._place, "text": ended.text, "logprobs": part["logprobs"]}
        return [
            self._event("response.output_text.done", done),
            self._event("response.content_part.done", {**self._place, "part": part}),
            self._event("response.output_item.done", {"output_index": 0, "item": message}),
        ]

    def end(self, usage: Usage) -> list[bytes]:
        """The response, complete."""
        response = self._response(usage)
        return [self._event(f"response.{response['status']}", {"response": response})]

    def failed(self, error: Refusal) -> list[bytes]:
        """The response, and why it broke off."""
        fault = {"code": "server_error", "message": str(error)}
        return [self._event("response.failed", {"response": {**self._state("failed"), "error": fault}})]

    def _event(self, kind: str, rest: Mapping[str, Any]) -> bytes:
        self.number += 1
        return event({"type": kind, "sequence_number": self.number - 1, **rest})

    @property
    def _place(self) -> dict[str, Any]:
        return {"item_id": self.item, "output_index": 0, "content_index": 0}

    def _state(self, status: str) -> dict[str, Any]:
        """What does not depend on the answer."""
        fixed: dict[str, Any] = {
            "error": None,
            "incomplete_details": None,
            "output": [],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "tool_choice": "auto",
            "tools": [],
            "truncation": "disabled",
            "usage": None,
        }
        head = {"id": self.id, "object": "response", "created_at": int(time.time()), "status": status, "model": self.model}
        return {**head, **fixed, **self.asked}

    def _response(self, usage: Usage) -> dict[str, Any]:
        message = self._answer()
        counted = {
            "input_tokens": usage.read,
            "input_tokens_details": {"cached_tokens": usage.cached},
            "output_tokens": usage.written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage.read + usage.written,
        }
        short = {"reason": "max_output_tokens"} if message["status"] == "incomplete" else None
        return {**self._state(message["status"]), "output": [message], "incomplete_details": short, "usage": counted}

    def _answer(self) -> dict[str, Any]:
        assert self.ended_as is not None
        part = _part(self.ended_as.text, likelihoods(self.tokens) if self.told else [])
        status = "incomplete" if self.ended_as.reason == "length" else "completed"
        return {**self._message(status, [part]), **found(self.ended_as)}

    def _message(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        return {"id": self.item, "type": "message", "status": status, "role": "assistant", "content": content}


def _part(said: str, tokens: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "output_text", "text": said, "annotations": [], "logprobs": tokens}


def _told(given: Mapping[str, Any]) -> bool:
    include = given.get("include", [])
    if not isinstance(include, list) or any(each != _LOGPROBS for each in include):
        raise Refusal(f"include is {shown(include)}, of which only {_LOGPROBS!r} is supported", param="include")
    return bool(include)


def _format(value: Any) -> dict[str, Any]:
    """`text` as a chat completion's `response_format`, whose schema lies one object deeper."""
    record = mapping(value, "text")
    no_others(record, ("format",), "text")
    form = mapping(record.get("format", {"type": "text"}), "text.format")
    if form.get("type") != "json_schema":
        return dict(form)
    return {"type": "json_schema", "json_schema": {name: inner for name, inner in form.items() if name != "type"}}


def _messages(value: Any) -> list[dict[str, Any]]:
    """`input` as the messages of a chat completion, at the same places."""
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list):
        raise Refusal(f"input is {shown(value)}, expected text or a list of messages", param="input")
    return [_message(mapping(item, f"input[{number}]"), f"input[{number}]") for number, item in enumerate(value)]


def _message(item: Mapping[str, Any], where: str) -> dict[str, Any]:
    one_of(item.get("type", "message"), f"{where}.type", ("message",))
    own = ("type", "id", "status")  # of a message that is sent back as it came
    message = {name: value for name, value in item.items() if name not in own}
    content = message.get("content")
    if isinstance(content, list):
        message["content"] = [_read_part(part, f"{where}.content[{number}]") for number, part in enumerate(content)]
    return message


def _read_part(value: Any, where: str) -> dict[str, Any]:
    part = mapping(value, where)
    kind = part.get("type")
    if kind in _TEXTS:
        no_others(part, ("type", "text", "annotations", "logprobs"), where)
        return {"type": "text", "text": part.get("text")}
    if kind == "input_image":
        no_others(
            {name: inner for name, inner in part.items() if inner is not None}, ("type", "image_url", "detail", "uuid"), where
        )
        url = part.get("image_url")
        shown_as = None if url is None else {"url": url, "detail": part.get("detail") or "auto"}
        return {"type": "image_url", "image_url": shown_as} | ({"uuid": part["uuid"]} if part.get("uuid") is not None else {})
    if kind in ("video_url", "input_audio", "vistune"):
        return dict(part)
    known = "input_text, input_image, input_audio, video_url and vistune"
    raise Refusal(f"{where}.type is {shown(kind)}, expected one of {known}", param=f"{where}.type")
