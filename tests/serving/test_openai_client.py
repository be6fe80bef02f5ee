"""What the official client and plain HTTP get: whole and streamed answers, the same as the command line's."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import httpx
import pytest
from serving_requests import asked, picture

from vistune.model.vlm import VisionLanguageModel
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.serving.server import Server

QUESTIONS = ["\nWhat is in the picture?", "\nWhere is the blue seven?", "\nTwo cats on a mat.", "\nyes no one two"]


def sample(color: str, question: str) -> Sample:
    return Sample("s", (Media("image", data=picture(color)),), (Turn("user", (MediaRef(0), Text(question))),))


def test_answers_are_those_of_generate(client: Any, tiny_model: VisionLanguageModel) -> None:
    pairs = [(color, question) for color in ("red", "blue") for question in QUESTIONS]
    expected = tiny_model.generate([sample(*pair) for pair in pairs], 12)
    for pair, answer in zip(pairs, expected, strict=True):
        reply = client.chat.completions.create(model="tiny", messages=asked(*pair), max_tokens=12, temperature=0)
        assert reply.choices[0].message.content == answer
        assert reply.usage.prompt_tokens == len(tiny_model.prompt_text(sample(*pair)).split())


def test_a_stream_joined_is_the_whole(client: Any) -> None:
    wanted: dict[str, Any] = {"model": "tiny", "messages": asked("red", QUESTIONS[0]), "max_tokens": 15, "seed": 5}
    whole = client.chat.completions.create(**wanted, logprobs=True, n=2)
    pieces = list(client.chat.completions.create(**wanted, n=2, stream=True, stream_options={"include_usage": True}))
    assert len({piece.id for piece in pieces}) == 1
    texts, reasons = {0: "", 1: ""}, {}
    for piece in pieces[:-1]:
        choice = piece.choices[0]
        texts[choice.index] += choice.delta.content or ""
        if choice.finish_reason:
            assert choice.index not in reasons
            reasons[choice.index] = choice.finish_reason
    assert pieces[-1].choices == [] and pieces[-1].usage.completion_tokens == whole.usage.completion_tokens
    for choice in whole.choices:
        assert texts[choice.index] == choice.message.content and reasons[choice.index] == choice.finish_reason
        assert "".join(token.token for token in choice.logprobs.content) == choice.message.content
        assert all(token.logprob <= 0 for token in choice.logprobs.content)
    assert [sum(piece.choices != [] and piece.choices[0].delta.role is not None for piece in pieces)] == [2]


def test_a_seed_is_a_promise_and_stops_end_an_answer(client: Any) -> None:
    wanted: dict[str, Any] = {"model": "tiny", "messages": asked("green", QUESTIONS[1]), "max_tokens": 20, "seed": 11}
    first = client.chat.completions.create(**wanted).choices[0].message.content
    assert client.chat.completions.create(**wanted).choices[0].message.content == first
    several = client.chat.completions.create(**wanted | {"seed": 10}, n=2).choices
    assert several[1].message.content == first, "copy i is drawn with seed + i"
    assert len(first) > 4
    stopped = client.chat.completions.create(**wanted, stop=[first[2:4]])
    assert stopped.choices[0].message.content == first[: first.find(first[2:4])].strip()
    assert stopped.choices[0].finish_reason == "stop"


def test_penalties_forbid_what_was_said(client: Any) -> None:
    wanted: dict[str, Any] = {"model": "tiny", "messages": asked("green", QUESTIONS[1]), "max_tokens": 30, "temperature": 0}
    told = client.chat.completions.create(**wanted, logprobs=True, frequency_penalty=2, presence_penalty=2)
    free = client.chat.completions.create(**wanted, logprobs=True)

    def repeated(reply: Any) -> int:
        tokens = [token.token for token in reply.choices[0].logprobs.content]
        return len(tokens) - len(set(tokens))

    assert repeated(told) < repeated(free)


def test_an_answer_keeps_to_a_schema(client: Any) -> None:
    pytest.importorskip("llguidance")
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "blue"]}, "sure": {"type": "boolean"}},
        "required": ["colour", "sure"],
        "additionalProperties": False,
    }
    for seed in range(4):
        reply = client.chat.completions.create(
            model="tiny",
            messages=asked("red", QUESTIONS[0]),
            max_tokens=60,
            seed=seed,
            response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
        )
        value = json.loads(reply.choices[0].message.content)
        assert value["colour"] in ("red", "blue") and isinstance(value["sure"], bool) and len(value) == 2
        assert reply.choices[0].finish_reason == "stop"


def test_options_are_ranked_as_rank_ranks_them(http: httpx.Client, tiny_model: VisionLanguageModel) -> None:
    body = {"model": "tiny", "messages": asked("red", QUESTIONS[0]), "options": ["A red bus.", "Two cats"], "by": "mean"}
    reply = http.post("/v1/rank", json=body).json()
    expected = tiny_model.rank(sample("red", QUESTIONS[0]), ["A red bus.", "Two cats"], mean=True)
    assert [choice["logprob"] for choice in reply["choices"]] == pytest.approx(expected)
    assert reply["best"] == expected.index(max(expected))
    assert sum(choice["probability"] for choice in reply["choices"]) == pytest.approx(1)


def test_curl_streams(server: Server) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    body = json.dumps({"model": "tiny", "messages": asked("red", QUESTIONS[0]), "max_tokens": 5, "stream": True})
    command = ["curl", "-sN", "--noproxy", "*", f"{server.url}v1/chat/completions", "-H", "Content-Type: application/json"]
    done = subprocess.run([*command, "--data-binary", "@-"], input=body, capture_output=True, text=True, check=True)
    events = [line.removeprefix("data: ") for line in done.stdout.splitlines() if line]
    assert events[-1] == "[DONE]" and json.loads(events[0])["choices"][0]["delta"]["role"] == "assistant"


def test_a_picture_sent_once_is_shown_by_its_uuid(client: Any) -> None:
    sent = asked("purple", QUESTIONS[0])
    sent[0]["content"][0]["uuid"] = "mine"
    named = [{"role": "user", "content": [{"type": "image_url", "image_url": None, "uuid": "mine"}, sent[0]["content"][1]]}]
    answers = [
        client.chat.completions.create(model="tiny", messages=messages, max_tokens=12, temperature=0)
        for messages in (sent, named)
    ]
    assert answers[0].choices[0].message.content == answers[1].choices[0].message.content
    assert answers[1].usage.prompt_tokens_details.cached_tokens > 16, "its keys and values were known"


def test_pictures_keep_their_places(client: Any, tiny_model: VisionLanguageModel) -> None:
    content = asked("red", "first ")[0]["content"] + asked("blue", " second")[0]["content"]
    media = tuple(Media("image", data=picture(color)) for color in ("red", "blue"))
    parts = (MediaRef(0), Text("first "), MediaRef(1), Text(" second"))
    expected = tiny_model.generate([Sample("s", media, (Turn("user", parts),))], 12)[0]
    messages = [{"role": "user", "content": content}]
    reply = client.chat.completions.create(model="tiny", messages=messages, max_tokens=12, temperature=0)
    assert reply.choices[0].message.content == expected
