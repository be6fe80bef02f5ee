"""Ray workers ask, this process builds: the same bytes as without them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.build.fake_endpoint import FakeEndpoint
from vistune.build.ray_engine import _Worker, prefetch
from vistune.build.session import Choices, perform
from vistune.build.store import ReplyStore
from vistune.errors import MissingExtraError

HAS_RAY = importlib.util.find_spec("ray") is not None
REPLY = "Question:\nWhat is there?\n===\nAnswer:\nA digit is there."


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_the_extra_is_named(tmp_path: Path):
    with ReplyStore(tmp_path / "replies.jsonl") as store, pytest.raises(MissingExtraError, match=r"vistune\[ray\]"):
        prefetch("llava_instruct", ["world"], "offline", store, 4)


def test_a_worker_sends_home_every_reply_of_its_block():
    with FakeEndpoint(text=REPLY) as server:
        worker = _Worker("llava_instruct", ["world:?size=8"], f"endpoint:{server.url}?model=m", 0)
        rows = worker({"id": [0, 3, 5]})
    assert rows["text"] == [REPLY] * 3 and len(set(rows["key"])) == 3


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
