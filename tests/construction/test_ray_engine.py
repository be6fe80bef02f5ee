"""Ray workers ask, this process builds: the same bytes as without them."""

from __future__ import annotations

import importlib.util
import json
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.construction.fake_endpoint import FakeEndpoint
from tests.construction.pipelines import inputs
from vistune.completer import Reply
from vistune.construction.running.ray_engine import _shared, _Worker, prefetch
from vistune.construction.running.session import Choices, perform
from vistune.construction.running.store import ReplyStore
from vistune.errors import InputError, MissingExtraError

HAS_RAY = importlib.util.find_spec("ray") is not None
REPLY = "Question:\nWhat is there?\n===\nAnswer:\nA digit is there."


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_the_extra_is_named(tmp_path: Path):
    with ReplyStore(tmp_path / "replies.jsonl") as store, pytest.raises(MissingExtraError, match=r"vistune\[ray\]"):
        prefetch("llava_instruct", ["world"], "offline", store, 4)


def test_a_worker_sends_home_every_reply_of_its_block(tmp_path: Path):
    with FakeEndpoint(text=REPLY) as server, closing(worker(f"endpoint:{server.url}?model=m", tmp_path)) as actor:
        rows = actor({"id": [0, 3, 5]})
    assert rows["text"] == [REPLY] * 3 and len(set(rows["key"])) == 3 and rows["stopped"] == [""] * 3
    assert set(rows["who"]) == {f"{server.url} m"}, "whose budget they count against"


def test_a_worker_asks_for_nothing_that_is_known(tmp_path: Path):
    with FakeEndpoint(text=REPLY) as server:
        completer = f"endpoint:{server.url}?model=m"
        perform(Choices("llava_instruct", ("world:?size=8",), completer, limit=4), tmp_path)
        with closing(worker(completer, tmp_path)) as actor:
            rows = actor({"id": list(range(6))})
            assert len(rows["key"]) == 2, "records 4 and 5"
            assert actor({"id": list(range(6))})["key"] == [], "what one block bought is known in the next"
        assert set(server.sold.values()) == {1} and len(server.sold) == 6


def test_a_worker_opens_one_completer_and_closes_it(tmp_path: Path):
    before = _endpoint_threads()
    with FakeEndpoint(text=REPLY) as server:
        actor = worker(f"endpoint:{server.url}?model=m", tmp_path)
        for block in ([0, 1], [2, 3], [4]):
            actor({"id": block})
            assert _endpoint_threads() == before + 1
        actor.close()
        assert _endpoint_threads() == before
        unused = worker(f"endpoint:{server.url}?model=m", tmp_path)
        del unused
        assert _endpoint_threads() == before, "an actor that ends closes what it opened"


def test_a_worker_that_must_stop_sends_home_what_it_bought(tmp_path: Path):
    script = tmp_path / "script.jsonl"
    script.write_text(json.dumps(REPLY) + "\n")
    with closing(worker(f"scripted:{script}", tmp_path)) as actor:
        actor._store.put("bought", Reply("before"))
        rows = actor({"id": [0, 1, 2]})
    assert rows["key"] == ["bought", ""] and rows["text"] == ["before", ""]
    assert rows["stopped"] == ["", "the script has fewer replies than there are requests"]


@pytest.mark.parametrize("bound", ["max_total_tokens=1000", "max_usd=5&price_in=1&price_out=1"])
def test_a_budget_that_workers_cannot_keep_is_refused(bound: str, tmp_path: Path):
    with ReplyStore(tmp_path / "replies.jsonl") as store, pytest.raises(InputError, match="cannot keep a common budget"):
        prefetch("llava_instruct", ["world"], f"endpoint:http://127.0.0.1:1/v1?model=m&{bound}", store, 4)


def test_a_quota_is_divided_among_workers():
    asked = "endpoint:http://127.0.0.1:1/v1?model=a%26b&requests_per_minute=90&concurrency=4"
    assert _shared(asked, 3) == "endpoint:http://127.0.0.1:1/v1?model=a%26b&requests_per_minute=30.0&concurrency=4"
    assert _shared("offline", 3) == "offline"


@pytest.mark.parametrize("name", ["vigc", "as_1b", "stable_llava"])
def test_pipelines_with_parts_that_workers_lack_are_refused(name: str, tmp_path: Path):
    with (
        ReplyStore(tmp_path / "replies.jsonl") as store,
        pytest.raises(InputError, match=f"{name} needs a .* use --engine local"),
    ):
        prefetch(name, ["world"], "offline", store, 4)


def test_workers_need_no_labeler_where_the_facts_are_known(tmp_path: Path):
    known = {"captions": ["The cover of a book."], "ocr": [{"text": "TIDES", "box": [0.2, 0.1, 0.8, 0.25]}]}
    data = inputs.native(tmp_path, known, {"captions": ["A poster."]}, media="image")
    with closing(_Worker("llavar", [str(data[0])], "offline", 0, "none")) as actor:
        assert actor({"id": [0]})["stopped"] == []
        (stopped,) = actor({"id": [0, 1]})["stopped"]
    assert stopped.startswith("no ocr is known of ") and "Ray workers have no labeler" in stopped


def worker(completer: str, home: Path) -> _Worker:
    return _Worker("llava_instruct", ["world:?size=8"], completer, 0, str(home / "replies.jsonl"))


def _endpoint_threads() -> int:
    return sum(thread.name == "endpoint" for thread in threading.enumerate())


@pytest.mark.slow
@pytest.mark.skipif(not HAS_RAY, reason="needs Ray: pip install 'vistune[ray]'")
def test_with_ray_the_output_is_the_same_and_nothing_is_asked_twice(tmp_path: Path):
    import ray

    ray.init(num_cpus=2, include_dashboard=False, ignore_reinit_error=True)
    with FakeEndpoint(text=REPLY) as server:
        made = {}
        for engine in ("local", "ray"):
            choices = Choices(
                "llava_instruct", ("world:?size=20",), f"endpoint:{server.url}?model=m&concurrency=4", engine=engine, workers=2
            )
            report = perform(choices, tmp_path / engine)
            made[engine] = (tmp_path / engine / "samples.jsonl").read_bytes()
        assert made["local"] == made["ray"]
        assert report["asked"]["writer"]["cached"] == 20 and report["asked"]["writer"]["answered"] == 0
        assert set(server.sold.values()) == {2}, "once for each engine"
