"""The body of a chat completion, field by field: honoured exactly, or refused by name."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vistune.model.answering.ranking import Ranking
from vistune.sample import Sample
from vistune.serving.engine.asking import Ask, Sampling
from vistune.serving.protocol.content import Reader
from vistune.serving.protocol.fields import mapping, no_others, number, one_of, shown, text, truth, whole
from vistune.serving.protocol.reply import Completion, Form
from vistune.serving.refusals import Refusal

CHAT = [
    "model",
    "messages",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "seed",
    "stop",
    "n",
    "logprobs",
    "top_logprobs",
    "stream",
    "stream_options",
    "response_format",
    "frequency_penalty",
    "presence_penalty",
]
# What clients send along without meaning anything by it: taken only with the value that changes nothing.
IDLE: Mapping[str, tuple[Any, ...]] = {
    "user": (),
    "metadata": (),
    "store": (False,),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "service_tier": ("auto", "default"),
    "safety_identifier": (),
}


@dataclass(frozen=True, slots=True)
class Chat:
    """What is asked, of which model, and the form of the reply. `bounded`: it says how long that may be."""

    model: str
    ask: Ask
    form: Form
    bounded: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """What a ranking asks: which of `options` is the likeliest answer."""

    model: str
    sample: Sample
    options: tuple[str, ...]
    ranking: Ranking


def model_name(body: Mapping[str, Any]) -> str:
    """Which model is asked."""
    return text(body.get("model"), "model")


def read_chat(body: Mapping[str, Any], reader: Reader, id: str, most: int, field: str = "messages") -> Chat:
    """A chat completion; an answer takes at most `most` tokens. Raises `Refusal`, which calls the messages `field`."""
    given = {name: value for name, value in body.items() if value is not None}
    refuse_idle(given, IDLE)
    no_others(given, (*CHAT, *IDLE), "")
    streamed = truth(given.get("stream", False), "stream")
    told = truth(given.get("logprobs", False), "logprobs")
    if "top_logprobs" in given and not told:
        raise Refusal("top_logprobs needs logprobs to be true", param="top_logprobs")
    name, copies = model_name(body), whole(given.get("n", 1), "n", 1, 128)
    form = Completion(name, copies, told, _usage(given, streamed))
    ask = Ask(
        sample=reader.sample(body.get("messages"), id, field),
        max_tokens=_max_tokens(given, most),
        copies=copies,
        stop=_stop(given.get("stop")),
        sampling=Sampling(
            temperature=number(given.get("temperature", 1.0), "temperature", 0, 2),
            top_p=top_p(given.get("top_p", 1.0)),
            seed=whole(given.get("seed", secrets.randbits(48)), "seed", -(1 << 63), (1 << 63) - 1),
            frequency_penalty=number(given.get("frequency_penalty", 0.0), "frequency_penalty", -2, 2),
            presence_penalty=number(given.get("presence_penalty", 0.0), "presence_penalty", -2, 2),
            logprobs=whole(given.get("top_logprobs", 0), "top_logprobs", 0, 20) if told else None,
            schema=_schema(given.get("response_format")),
        ),
        streamed=streamed,
    )
    bounded = "max_tokens" in given or "max_completion_tokens" in given
    return Chat(name, ask, form, bounded)


def read_choice(body: Mapping[str, Any], reader: Reader, id: str) -> Choice:
    """A ranking: `options`, and `by` the sum or the mean of their tokens' log-likelihoods."""
    no_others(body, ("model", "messages", "options", "by"), "")
    options = body.get("options")
    if not isinstance(options, list) or not 1 <= len(options) <= 256:
        raise Refusal("options is no list of 1 to 256 texts", param="options")
    texts = tuple(text(option, f"options[{place}]") for place, option in enumerate(options))
    if not all(option.strip() for option in texts):
        raise Refusal("options holds an empty text", param="options")
    by = one_of(body.get("by", "sum"), "by", ("sum", "mean"))
    return Choice(model_name(body), reader.sample(body.get("messages"), id), texts, "mean" if by == "mean" else "sum")


def refuse_idle(given: Mapping[str, Any], idle: Mapping[str, tuple[Any, ...]]) -> None:
    """Refuse fields that change nothing here, where they ask for a change."""
    for name, values in idle.items():
        if name in given and values and given[name] not in values:
            raise Refusal(f"{name} is {shown(given[name])}, which is not supported", param=name)


def _usage(given: Mapping[str, Any], streamed: bool) -> bool:
    if "stream_options" not in given:
        return False
    if not streamed:
        raise Refusal("stream_options needs stream to be true", param="stream_options")
    options = mapping(given["stream_options"], "stream_options")
    no_others(options, ("include_usage", "include_obfuscation"), "stream_options")
    if options.get("include_obfuscation"):
        raise Refusal("stream_options.include_obfuscation is not supported", param="stream_options.include_obfuscation")
    return truth(options.get("include_usage", False), "stream_options.include_usage")


def _max_tokens(given: Mapping[str, Any], most: int) -> int:
    names = [name for name in ("max_tokens", "max_completion_tokens") if name in given]
    values = [whole(given[name], name, 1, most) for name in names]
    if len(set(values)) > 1:
        raise Refusal("max_tokens and max_completion_tokens differ: give one of them", param="max_tokens")
    return values[0] if values else most


def top_p(value: Any) -> float:
    """The share of probability that is drawn from."""
    found = number(value, "top_p", 0, 1)
    if found == 0:
        raise Refusal("top_p is 0, which leaves no token: for the likeliest set temperature to 0", param="top_p")
    return found


def _stop(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or len(values) > 4:
        raise Refusal("stop is neither a text nor a list of at most 4 texts", param="stop")
    texts = tuple(text(each, "stop") for each in values)
    if not all(texts):
        raise Refusal("stop holds an empty text", param="stop")
    return texts


def _schema(value: Any) -> Mapping[str, Any] | None:
    if value is None:
        return None
    record = mapping(value, "response_format")
    kind = one_of(record.get("type"), "response_format.type", ("text", "json_object", "json_schema"))
    if kind != "json_schema":
        no_others(record, ("type",), "response_format")
        return None if kind == "text" else {"type": "object"}
    no_others(record, ("type", "json_schema"), "response_format")
    named = mapping(record.get("json_schema"), "response_format.json_schema")
    no_others(named, ("name", "description", "schema", "strict"), "response_format.json_schema")
    return mapping(named.get("schema"), "response_format.json_schema.schema")
