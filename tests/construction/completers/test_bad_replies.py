"""Replies that cannot be used, and what they cost: each is a reject with its reason, never the end of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.construction.completers.test_endpoint import asked, requests
from tests.construction.fake_endpoint import FakeEndpoint
from vistune.construction.guards import fault
from vistune.construction.running.store import ReplyStore, read_replies


def chat(content: str | None, finish: str, tokens: int = 5) -> dict[str, Any]:
    return {
        "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 10, "completion_tokens": tokens},
    }


def test_half_a_character_is_a_broken_reply_and_what_comes_after_is_kept(tmp_path: Path):
    with ReplyStore(tmp_path / "replies.jsonl") as store:
        with FakeEndpoint(value=chat("a picture \ud83d", "stop")) as server:
            (reply,), _ = asked(server.url, requests(1), store=store, retries=1)
            assert sum(server.seen.values()) == 2, "it is asked once more"
        assert reply.error == "broken reply after 2 failed tries" and len(store) == 0
        with FakeEndpoint() as server:
            (reply,), _ = asked(server.url, requests(1), store=store)
    assert [kept.text for kept in read_replies(tmp_path / "replies.jsonl").values()] == ["reply to question 0"]


def test_a_body_that_is_not_encoded_as_its_header_says_is_a_broken_reply():
    with FakeEndpoint({"garbled": 1.0}) as server:
        (reply,), completer = asked(server.url, requests(1), retries=1)
    assert reply.error == "broken reply after 2 failed tries"
    assert completer.account.completion_tokens == 2 * 20, "it was generated: each is charged at its most"


def test_a_model_that_reasons_to_its_limit_is_truncated_at_once_and_charged_what_it_says():
    with FakeEndpoint(value=chat(None, "length", 17)) as server:
        (reply,), completer = asked(server.url, requests(1))
        assert sum(server.seen.values()) == 1
    assert fault(reply, "en") == ("truncated", "17 tokens")
    assert (completer.account.prompt_tokens, completer.account.completion_tokens) == (10, 17)


def test_googles_model_that_thinks_to_its_limit_is_truncated_too():
    value = {"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}], "usageMetadata": {}}
    from vistune.construction.http.apis.google import Google

    reply, _ = Google().read(value)
    assert fault(reply, "en") == ("truncated", "0 tokens")
    with pytest.raises(KeyError):
        Google().read({"candidates": [{"content": {}}]})


def test_counts_that_no_bill_has_are_estimated():
    with FakeEndpoint(value={**chat("words", "stop"), "usage": {"prompt_tokens": -900, "completion_tokens": -900}}) as server:
        _, completer = asked(server.url, requests(1))
    assert completer.account.prompt_tokens > 0 and completer.account.completion_tokens == 2


def test_a_request_that_was_sent_and_ran_out_of_time_is_charged_at_its_most():
    with FakeEndpoint({"hang": 1.0}) as server:
        _, completer = asked(server.url, requests(1), timeout=0.2, retries=1)
    assert completer.account.completion_tokens == 2 * 20 and completer.account.prompt_tokens > 0


def test_a_request_that_never_left_costs_nothing():
    _, completer = asked("http://127.0.0.1:9/v1", requests(1))
    assert (completer.account.prompt_tokens, completer.account.completion_tokens) == (0, 0)
    assert completer.account.retries == {"no connection (Connection refused)": 3}, "nothing ever came from there"
