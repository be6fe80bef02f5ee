"""The same answers in the form of OpenAI's responses, read by the official client."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from serving_requests import asked, data_url, picture

QUESTION = "\nWhat is in the picture?"


def shown(color: str, question: str) -> list[dict[str, Any]]:
    parts = [
        {"type": "input_image", "image_url": data_url(picture(color)), "detail": "auto"},
        {"type": "input_text", "text": question},
    ]
    return [{"role": "user", "content": parts}]


def completion(client: Any, **more: Any) -> Any:
    wanted: dict[str, Any] = {"model": "tiny", "messages": asked("red", QUESTION), "temperature": 0}
    return client.chat.completions.create(**wanted | more)


def test_it_is_the_answer_of_a_chat_completion(client: Any) -> None:
    same = completion(client, max_tokens=12)
    whole = client.responses.create(model="tiny", input=shown("red", QUESTION), max_output_tokens=12, temperature=0)
    assert whole.output_text == same.choices[0].message.content
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (same.usage.prompt_tokens, same.usage.completion_tokens)
    short = same.choices[0].finish_reason == "length"
    assert whole.status == ("incomplete" if short else "completed")
    assert (whole.incomplete_details is not None) == short
    assert whole.store is False and whole.max_output_tokens == 12 and whole.output[0].role == "assistant"


def test_instructions_are_the_system_sentence_and_text_alone_is_a_question(client: Any) -> None:
    messages = [{"role": "system", "content": "Two cats."}, {"role": "user", "content": "yes no one"}]
    same = completion(client, messages=messages, max_tokens=8)
    whole = client.responses.create(
        model="tiny", instructions="Two cats.", input="yes no one", max_output_tokens=8, temperature=0
    )
    assert whole.output_text == same.choices[0].message.content
    assert whole.usage.input_tokens == same.usage.prompt_tokens


def test_an_answer_can_be_sent_back(client: Any) -> None:
    first = client.responses.create(model="tiny", input=shown("red", QUESTION), max_output_tokens=6, temperature=0)
    items = [*shown("red", QUESTION), *[item.model_dump() for item in first.output], {"role": "user", "content": "yes"}]
    again = client.responses.create(model="tiny", input=items, max_output_tokens=6, temperature=0)
    answer = {"role": "assistant", "content": first.output_text}
    same = completion(client, messages=[*asked("red", QUESTION), answer, {"role": "user", "content": "yes"}], max_tokens=6)
    assert again.output_text == same.choices[0].message.content


def test_a_stream_tells_the_same_step_by_step(client: Any) -> None:
    wanted: dict[str, Any] = {"model": "tiny", "input": shown("blue", QUESTION), "max_output_tokens": 12, "temperature": 0}
    wanted["include"] = ["message.output_text.logprobs"]
    whole = client.responses.create(**wanted)
    pieces = list(client.responses.create(**wanted, stream=True))
    assert [piece.sequence_number for piece in pieces] == list(range(len(pieces)))
    kinds = [piece.type for piece in pieces]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-4:-1] == ["response.output_text.done", "response.content_part.done", "response.output_item.done"]
    assert kinds[-1] == f"response.{whole.status}"
    assert "".join(piece.delta for piece in pieces if piece.type == "response.output_text.delta") == whole.output_text
    last = pieces[-1].response
    assert last.output_text == whole.output_text and last.usage.output_tokens == whole.usage.output_tokens
    told, streamed = whole.output[0].content[0].logprobs, last.output[0].content[0].logprobs
    assert [token.token for token in told] == [token.token for token in streamed]
    # The stream goes on from the first answer's keys and values, whose sums are taken in another order.
    assert [token.logprob for token in streamed] == pytest.approx([token.logprob for token in told], abs=1e-4)
    assert "".join(token.token for token in told) == whole.output_text


def test_an_answer_keeps_to_a_schema(client: Any) -> None:
    pytest.importorskip("llguidance")
    schema = {
        "type": "object",
        "properties": {"seen": {"enum": ["one", "two"]}},
        "required": ["seen"],
        "additionalProperties": False,
    }
    form = {"format": {"type": "json_schema", "name": "seen", "schema": schema, "strict": True}}
    whole = client.responses.create(model="tiny", input=shown("red", QUESTION), text=form, max_output_tokens=40)
    assert json.loads(whole.output_text)["seen"] in ("one", "two")
    assert whole.text.format.name == "seen"
    # The client's own helper puts the pieces of a complete answer together.
    with client.responses.stream(model="tiny", input=shown("red", QUESTION), text=form, max_output_tokens=40) as stream:
        assert json.loads(stream.until_done().get_final_response().output_text)["seen"] in ("one", "two")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"previous_response_id": "resp-1"}, "previous_response_id"),
    ({"store": True}, "store"),
    ({"tools": [{"type": "web_search"}]}, "tools"),
    ({"input": 7}, "input"),
    ({"input": []}, "input"),
    ({"input": [{"type": "function_call_output", "call_id": "1", "output": "x"}]}, "input[0].type"),
    ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "1"}]}]}, "input[0].content[0].type"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "1"}]}]}, "file_id"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "/etc/passwd"}]}]}, "input[0].content[0]"),
    ({"input": [{"role": "assistant", "content": "yes"}]}, "input"),
    ({"max_output_tokens": 0}, "max_output_tokens"),
    ({"max_output_tokens": 4000}, "max_output_tokens"),
    ({"include": ["file_search_call.results"]}, "include"),
    ({"text": {"verbosity": "low"}}, "text.verbosity"),
    ({"top_logprobs": 2}, "top_logprobs"),
    ({"seed": 1}, "seed"),
    ({"instructions": ["a"]}, "instructions"),
]


@pytest.mark.parametrize(("change", "param"), REFUSED, ids=[f"{param} {number}" for number, (_, param) in enumerate(REFUSED)])
def test_what_is_not_honoured_is_refused_by_name(http: httpx.Client, change: dict[str, Any], param: str) -> None:
    reply = http.post("/v1/responses", json={"model": "tiny", "input": "yes", **change})
    assert reply.status_code == 400, reply.text
    error = reply.json()["error"]
    assert param in (error["param"] or "") or param in error["message"]
    assert error["message"].count("\n") == 0
