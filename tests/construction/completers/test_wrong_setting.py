"""A wrong address, key or option is found at the first requests and named in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.construction.completers.test_endpoint import asked, requests
from tests.construction.fake_endpoint import FakeEndpoint
from vistune.construction.completers.endpoint import Endpoint
from vistune.construction.http.firsts import MANY, FirstRequests
from vistune.construction.running.store import ReplyStore
from vistune.errors import InputError


def test_a_closed_port_stops_the_run():
    with pytest.raises(InputError, match=r"the first 8 requests all failed with no connection \(Connection refused\); check"):
        asked("http://127.0.0.1:9/v1", requests(40))


def test_an_option_that_the_endpoint_does_not_know_stops_the_run():
    with FakeEndpoint({"unfit": 1.0}) as server:
        with pytest.raises(InputError, match=r"the first 8 requests all failed with status 400: .*longer than the model takes"):
            asked(server.url, requests(200), concurrency=2)
        assert sum(server.seen.values()) <= MANY + 2


def test_refusals_do_not_stop_a_run_that_was_ever_answered(tmp_path: Path):
    with FakeEndpoint() as server, ReplyStore(tmp_path / "replies.jsonl") as store:
        completer = Endpoint(server.url, "fake", store=store)
        assert [reply.error for reply in completer.complete(requests(1))] == [""]
        server.shares = {"unfit": 1.0}
        assert all("status 400" in reply.error for reply in completer.complete(requests(30, 1)))
        completer.close()
        assert len(store) == 1


def test_the_first_requests_must_fail_alike_and_for_good():
    firsts = FirstRequests()
    for number in range(1, MANY):
        firsts.failed(number, "status 400")
    firsts.failed(MANY, "")  # a timeout may pass
    firsts.failed(MANY + 1, "status 400")
    firsts.failed(MANY, "status 422")
    with pytest.raises(InputError, match="failed with status 400: no such option"):
        firsts.failed(MANY, "status 400", "no such option")


def test_a_redirect_fails_its_request_at_once_and_is_not_followed():
    with FakeEndpoint({"moved": 1.0}) as server:
        (reply,), completer = asked(server.url, requests(1))
        assert sum(server.seen.values()) == 1
    assert reply.error == "refused with status 301: redirect to https://elsewhere/v1/chat"
    assert completer.account.completion_tokens == 0


def test_a_key_from_a_file_has_no_line_break(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MY_KEY", " sk-secret\n")
    with FakeEndpoint() as server:
        asked(server.url, requests(1), key_env="MY_KEY")
        assert server.keys == {"Bearer sk-secret"}


@pytest.mark.parametrize("key", ["sk-schlüssel", "sk one", "sk\none"])
def test_a_key_that_no_header_takes_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, key: str):
    monkeypatch.setenv("MY_KEY", key)
    with pytest.raises(InputError, match="the key in MY_KEY holds") as caught:
        Endpoint("http://host/v1", "m", key_env="MY_KEY")
    assert key not in str(caught.value)


@pytest.mark.parametrize("name", ["sk-abcdef", "NO_SUCH_VARIABLE", ""])
def test_a_key_in_place_of_its_variables_name_is_refused_and_not_shown(name: str):
    with pytest.raises(InputError, match="is not the name of a variable that is set") as caught:
        Endpoint("http://host/v1", "m", key_env=name)
    assert not name or name not in str(caught.value)


@pytest.mark.parametrize("url", ["http://host:99999/v1", "http://a\x01b/v1", "http://[::1/v1"])
def test_addresses_that_cannot_be_read_are_refused(url: str):
    with pytest.raises(InputError, match="is no address"):
        Endpoint(url, "m")
