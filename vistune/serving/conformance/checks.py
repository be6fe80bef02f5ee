"""The checks. A check's docstring is its line in the table; it raises `Broken` with what the server did instead."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from vistune.serving.conformance.target import Broken, Target, about, choices, must, picture, refused, words

SCHEMA = {"type": "object", "properties": {"a": {"enum": ["x", "y"]}}, "required": ["a"], "additionalProperties": False}


def lists_models(target: Target) -> None:
    """GET /v1/models lists the model"""
    listed = target.get("/v1/models").body
    must(
        isinstance(listed, dict) and any(each.get("id") == target.model for each in listed.get("data", [])), "it is not listed"
    )


def is_healthy(target: Target) -> None:
    """GET /health is 200"""
    must(target.get("/health").status == 200, "another status")


def answers_words(target: Target) -> None:
    """a question in words gets a whole answer with id, role and finish"""
    reply = target.ask()
    message = reply.choice["message"]
    must(reply.body.get("object") == "chat.completion" and bool(reply.body.get("id")), "no id, or another object")
    must(message.get("role") == "assistant" and isinstance(message.get("content"), str), "no assistant's words")
    must(reply.choice.get("finish_reason") in ("stop", "length"), f"finish_reason {reply.choice.get('finish_reason')!r}")


def counts_usage(target: Target) -> None:
    """usage counts tokens, a picture's among them, and adds up"""
    plain, shown = (
        target.ask(messages).body.get("usage") or {} for messages in (words("What?"), about(picture(), text="What?"))
    )
    must(bool(plain and shown), "no usage")
    must(shown["prompt_tokens"] > plain["prompt_tokens"], "a picture takes no tokens")
    must(shown["total_tokens"] == shown["prompt_tokens"] + shown["completion_tokens"], "the total is not the sum")


def sees_pictures(target: Target) -> None:
    """a picture, and several, as data URLs"""
    choices(target.ask(about(picture())))
    choices(target.ask(about(picture("red"), picture("blue"))))


def remembers_turns(target: Target) -> None:
    """a system message and earlier turns"""
    said = [
        {"role": "system", "content": "Be brief."},
        *words("One?"),
        {"role": "assistant", "content": "Two."},
        *words("Three?"),
    ]
    choices(target.ask(said))


def streams(target: Target) -> None:
    """a stream: server-sent events, one id, the role once, one finish, [DONE]"""
    stream = target.stream(about(picture()))
    must(stream.kind.startswith("text/event-stream"), f"content type {stream.kind!r}")
    must(stream.done, "no [DONE]")
    must(len({event.get("id") for event in stream.events}) == 1, "several ids")
    deltas = [choice for event in stream.events for choice in event.get("choices") or ()]
    roles = [choice["delta"].get("role") for choice in deltas if choice["delta"].get("role")]
    must(roles == ["assistant"], f"roles {roles}")
    reasons = [choice["finish_reason"] for choice in deltas if choice.get("finish_reason")]
    must(len(reasons) == 1, f"finish reasons {reasons}")


def streams_the_whole(target: Target) -> None:
    """a stream joined is the whole answer"""
    whole, joined = target.ask(about(picture())).text, target.stream(about(picture())).text
    must(joined.strip() == whole.strip(), f"{joined[:60]!r} is not {whole[:60]!r}")


def streams_usage_last(target: Target) -> None:
    """stream_options.include_usage: a last piece without choices tells it"""
    events = target.stream(stream_options={"include_usage": True}).events
    must(bool(events) and events[-1].get("choices") == [] and bool(events[-1].get("usage")), "it is not the last piece")
    must(not any(event.get("usage") for event in events[:-1]), "another piece has one, too")


def ends_at_max_tokens(target: Target) -> None:
    """max_tokens and max_completion_tokens end an answer, and finish_reason says so"""
    long = target.ask(max_tokens=8)
    if (long.body.get("usage") or {}).get("completion_tokens", 0) < 3:
        long = target.ask(words("Tell me everything about it."), max_tokens=8)
    for name in ("max_tokens", "max_completion_tokens"):
        reply = target.ask(**{"max_tokens": None, name: 1})
        must((reply.body.get("usage") or {}).get("completion_tokens", 9) <= 1, f"{name} is not kept to")
        if long.choice["finish_reason"] == "length":
            must(reply.choice["finish_reason"] == "length", f"finish_reason {reply.choice['finish_reason']!r}")


def ends_at_stop(target: Target) -> None:
    """stop ends an answer before its text"""
    whole = target.ask(max_tokens=24).text
    must(len(whole) > 1, "the answer is too short to be stopped")
    stop = whole[len(whole) // 2 :][:2]
    reply = target.ask(max_tokens=24, stop=[stop])
    must(reply.text.strip() == whole[: whole.find(stop)].strip(), f"{reply.text[:60]!r} was answered with stop {stop!r}")


def answers_several_times(target: Target) -> None:
    """n gives that many choices"""
    found = choices(target.ask(n=2, temperature=1.0, seed=1))
    must(sorted(choice["index"] for choice in found) == [0, 1], f"{len(found)} choices")


def tells_likelihoods(target: Target) -> None:
    """logprobs joined are the text, with the likeliest tokens asked for"""
    reply = target.ask(logprobs=True, top_logprobs=2)
    told = (reply.choice.get("logprobs") or {}).get("content") or []
    must(bool(told), "none are told")
    must("".join(token["token"] for token in told).strip() == reply.text.strip(), "joined they are another text")
    must(all(token["logprob"] <= 0 and len(token["top_logprobs"]) == 2 for token in told), "not two of each, or above 0")


def keeps_a_seed(target: Target) -> None:
    """the same seed gives the same answer, at temperature 1"""
    first, second = (target.ask(temperature=1.0, seed=7, max_tokens=20).text for _ in range(2))
    must(first == second, f"{first[:40]!r} and {second[:40]!r}")


def keeps_a_schema(target: Target) -> None:
    """response_format: an answer keeps to a JSON schema"""
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
    reply = target.ask(response_format=wanted, max_tokens=60)
    try:
        value = json.loads(reply.text)
    except ValueError:
        value = None
    must(isinstance(value, dict) and value.get("a") in ("x", "y"), f"{reply.text[:60]!r} was answered")


def refuses_broken_bodies(target: Target) -> None:
    """a body that is no JSON, no object or empty is 400"""
    for body in (b"{", b"[]", b"", b'{"model": NaN}', b"\xff\xfe", b"[" * 100_000):
        refused(target.send(body), 400, 422)


def refuses_wrong_types(target: Target) -> None:
    """wrong types and values are 400, by name"""
    for name, value in (("temperature", "hot"), ("temperature", 9), ("max_tokens", -1), ("n", 0), ("stop", 3), ("top_p", 2)):
        refused(target.ask(**{name: value}), 400, 422)
    for messages in (
        [],
        "hello",
        [{"role": "nobody", "content": "x"}],
        [{"role": "user"}],
        [{"role": "user", "content": [{"type": "x"}]}],
    ):
        refused(target.ask(messages), 400, 422)


def refuses_unknown_models(target: Target) -> None:
    """a model that is not served is 404"""
    refused(target.ask(model="no such model"), 404, 400)


def refuses_broken_pictures(target: Target) -> None:
    """malformed base64, and what is no picture, are 400"""
    for url in ("data:image/png;base64,!!!", "data:image/png;base64,aGVsbG8=", "data:,", picture()[:120], "nonsense"):
        refused(target.ask(about(url)), 400, 422)


def names_no_files(target: Target) -> None:
    """a path or a file: URL as a picture is refused"""
    for url in ("/etc/passwd", "file:///etc/passwd", "../../etc/passwd", "/usr/share/pixmaps/debian-logo.png"):
        refused(target.ask(about(url)), 400, 403, 422)


def fetches_nothing_unnamed(target: Target) -> None:
    """an address of the server itself, or inside its network, is refused at once"""
    for url in (f"{target.url}/health", "http://169.254.169.254/latest/meta-data/", "http://localhost:22/"):
        start = time.monotonic()
        refused(target.ask(about(url)), 400, 403, 422)
        must(time.monotonic() - start < 10, f"it took {time.monotonic() - start:.0f} seconds")


def refuses_large_bodies(target: Target) -> None:
    """a body that says it has a terabyte is refused unread"""
    refused(target.claim(1 << 40), 413)


def tells_no_other_origin(target: Target) -> None:
    """a page of another origin is not answered"""
    reply = target.get("/v1/models", Origin="https://elsewhere.example")
    must("access-control-allow-origin" not in reply.headers, "it may read the answer")


def outlives_who_hangs_up(target: Target) -> None:
    """after clients that hung up, the next is answered"""
    for _ in range(4):
        target.hang_up()
    choices(target.ask())


CHECKS: tuple[Callable[[Target], None], ...] = (
    lists_models,
    is_healthy,
    answers_words,
    counts_usage,
    sees_pictures,
    remembers_turns,
    streams,
    streams_the_whole,
    streams_usage_last,
    ends_at_max_tokens,
    ends_at_stop,
    answers_several_times,
    tells_likelihoods,
    keeps_a_seed,
    keeps_a_schema,
    refuses_broken_bodies,
    refuses_wrong_types,
    refuses_unknown_models,
    refuses_broken_pictures,
    names_no_files,
    fetches_nothing_unnamed,
    refuses_large_bodies,
    tells_no_other_origin,
    outlives_who_hangs_up,
)


def verdict(check: Callable[[Target], None], target: Target) -> str | None:
    """None where a server passes, else what it did."""
    try:
        check(target)
    except Broken as broken:
        return str(broken)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        return f"a reply of another shape ({type(error).__name__}: {str(error)[:80]})"
    return None
