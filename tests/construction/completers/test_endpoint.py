"""The endpoint completer against a real server on loopback that misbehaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.construction.fake_endpoint import FakeEndpoint
from vistune.completer import Message, Reply, Request
from vistune.construction.completers.endpoint import Endpoint
from vistune.construction.http.budget import BudgetError
from vistune.construction.running.store import ReplyStore
from vistune.errors import InputError

FAULTS = {"busy": 0.05, "error": 0.05, "half": 0.05, "slow": 0.02}


def requests(count: int, start: int = 0) -> list[Request]:
    return [Request((Message("user", f"question {number}"),), max_tokens=20) for number in range(start, start + count)]


def asked(url: str, wanted: list[Request], **options: object) -> tuple[list[Reply], Endpoint]:
    completer = Endpoint(url, "fake", **options)  # type: ignore[arg-type]
    try:
        return list(completer.complete(wanted)), completer
    finally:
        completer.close()


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    with FakeEndpoint(FAULTS, places=24, latency=0.005) as server:
        yield server


def test_every_request_is_answered_once_in_order_whatever_happens(endpoint: FakeEndpoint, tmp_path: Path):
    with ReplyStore(tmp_path / "replies.jsonl") as store:
        replies, completer = asked(endpoint.url, requests(150), store=store, concurrency=64)
    assert [reply.text for reply in replies] == [f"reply to question {number}" for number in range(150)]
    assert set(endpoint.sold.values()) == {1} and len(endpoint.sold) == 150
    account = completer.account
    assert (account.asked, account.answered, account.failed, account.cached) == (150, 150, 0, 0)
    assert {"status 429", "status 500", "broken reply"} <= set(account.retries)
    # Every whole reply costs 15 tokens; a half-written one is charged at its most.
    assert account.prompt_tokens + account.completion_tokens >= 15 * 150


def test_what_is_stored_is_not_asked_again(endpoint: FakeEndpoint, tmp_path: Path):
    with ReplyStore(tmp_path / "replies.jsonl") as store:
        first, _ = asked(endpoint.url, requests(40), store=store)
    with ReplyStore(tmp_path / "replies.jsonl") as store:
        second, completer = asked(endpoint.url, requests(50), store=store)
    assert second[:40] == first
    assert (completer.account.cached, completer.account.answered) == (40, 10)
    assert len(endpoint.sold) == 50 and set(endpoint.sold.values()) == {1}


def test_the_same_question_asked_twice_at_once_is_bought_once(tmp_path: Path):
    with FakeEndpoint(latency=0.05) as server, ReplyStore(tmp_path / "replies.jsonl") as store:
        replies, completer = asked(server.url, requests(5) * 4, store=store)
        assert len(replies) == 20 and len(server.sold) == 5
        assert completer.account.cached == 15


def test_a_hanging_endpoint_fails_the_record_not_the_run():
    with FakeEndpoint({"hang": 1.0}) as server:
        (reply,), completer = asked(server.url, requests(1), timeout=0.1, retries=1)
    assert reply.text == "" and reply.error == "timeout after 2 failed tries"
    assert completer.account.failed == 1


def test_an_endpoint_that_is_always_busy_is_given_up_after_its_patience():
    with FakeEndpoint({"busy": 1.0}) as server:
        (reply,), _ = asked(server.url, requests(1), patience=0.3)
    assert reply.error == "status 429 after 0 failed tries"


def test_an_endpoint_that_asks_for_a_day_is_given_up_at_once():
    with FakeEndpoint({"busy": 1.0}, wait="86400") as server:
        (reply,), _ = asked(server.url, requests(1), patience=30.0)
    assert reply.error == "status 429, told to wait 86400 s and patience ends in 30 s, after 0 failed tries"
    assert server.seen["busy"] == 1


def test_concurrency_adapts_to_what_the_endpoint_takes():
    with FakeEndpoint(places=6, latency=0.1) as server:
        _, completer = asked(server.url, requests(150), concurrency=64)
        assert (completer.account.answered, completer.account.failed) == (150, 0)
        assert 0 < server.seen["busy"] < 150
    assert completer.limiter.limit < 24


def test_the_budget_in_tokens_stops_the_run_and_keeps_what_was_bought(tmp_path: Path):
    with FakeEndpoint() as server, ReplyStore(tmp_path / "replies.jsonl") as store:
        with pytest.raises(BudgetError, match="does not cover the next request"):
            asked(server.url, requests(100), store=store, max_total_tokens=600)
        bought = len(store)
        assert 0 < bought <= 600 // 15 and sum(server.sold.values()) == bought
        more, completer = asked(server.url, requests(100), store=store, max_total_tokens=10_000)
        assert len(more) == 100 and completer.account.cached == bought


def test_the_budget_counts_what_earlier_runs_bought(tmp_path: Path):
    options = {"max_total_tokens": 300, "max_usd": 1.0, "price_in": 1.0, "price_out": 2.0}
    with FakeEndpoint() as server:
        bought = []
        for _ in range(3):
            with ReplyStore(tmp_path / "replies.jsonl") as store:
                with pytest.raises(BudgetError, match="kept replies of earlier runs included"):
                    asked(server.url, requests(100), store=store, **options)
                bought.append(sum(server.sold.values()))
        assert 15 * bought[-1] <= 300, "three times the same command buys no more than one budget"
        with ReplyStore(tmp_path / "replies.jsonl") as store:
            _, completer = asked(server.url, requests(bought[-1]), store=store, **options)
            other = Endpoint(server.url, "another model", store=store)
            other.close()
    told = completer.account.to_json()
    assert (told["prompt_tokens"], told["usd"]) == (0, 0.0)
    every = {"prompt_tokens": 10 * bought[-1], "completion_tokens": 5 * bought[-1], "usd": bought[-1] * 20 / 1e6}
    assert told["all_runs"] == pytest.approx(every)
    assert other.account.to_json()["all_runs"] == {"prompt_tokens": 0, "completion_tokens": 0, "usd": 0.0}


def test_the_budget_in_dollars_needs_prices_and_counts_them():
    with pytest.raises(InputError, match="needs price_in and price_out"):
        Endpoint("http://127.0.0.1:1/v1", "fake", max_usd=1.0)
    with FakeEndpoint() as server:
        _, completer = asked(server.url, requests(10), max_usd=1.0, price_in=100.0, price_out=200.0)
    assert completer.account.usd == pytest.approx(10 * (10 * 100 + 5 * 200) / 1e6)


def test_the_key_goes_to_the_endpoint_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    with FakeEndpoint({"error": 0.3}) as server, ReplyStore(tmp_path / "replies.jsonl") as store:
        asked(server.url, requests(10), store=store, key_env="MY_KEY")
        assert server.keys == {"Bearer sk-very-secret"}
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert "secret" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://host/v1", "is no address"),
        ("https://user:pass@host/v1", "holds no user, password"),
        ("https://host/v1?key=1", "holds no user, password or query"),
    ],
)
def test_addresses_that_are_none_or_hold_secrets_are_refused(url: str, said: str):
    with pytest.raises(InputError, match=said):
        Endpoint(url, "fake")


def test_an_endpoint_that_is_not_there_fails_the_record():
    (reply,), _ = asked("http://127.0.0.1:9/v1", requests(1), retries=0)
    assert reply.error == "no connection (Connection refused) after 1 failed tries"


def test_a_refused_key_stops_the_run_and_is_not_repeated(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    with FakeEndpoint({"denied": 1.0}) as server:
        with pytest.raises(InputError, match=r"answers 401: .*wrong key: Bearer \*\*\*.*check the key") as caught:
            asked(server.url, requests(50), key_env="MY_KEY", concurrency=2)
        assert "secret" not in str(caught.value)
        assert sum(server.seen.values()) <= 4, "once one request has stopped the run, no further one is sent"


def test_a_request_that_the_endpoint_cannot_take_fails_alone():
    with FakeEndpoint({"unfit": 1.0}) as server:
        replies, completer = asked(server.url, requests(3))
        assert sum(server.seen.values()) == 3, "such a request is not sent again"
    assert all(reply.error.startswith("refused with status 400: ") for reply in replies)
    assert completer.account.failed == 3
