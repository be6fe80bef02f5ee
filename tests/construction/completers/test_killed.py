"""Kill -9 in the middle of a run, three times: what was bought stays bought."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from vistune.construction.running.store import read_replies

CLIENT = """
import sys
from vistune.construction.completers.endpoint import Endpoint
from vistune.construction.running.store import ReplyStore
from vistune.completer import Message, Request
url, path, count, concurrency = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
requests = [Request((Message("user", f"question {number}"),), max_tokens=20) for number in range(count)]
with ReplyStore(path) as store:
    completer = Endpoint(url, "fake", concurrency=concurrency, timeout=2.0, store=store)
    replies = list(completer.complete(requests))
    assert [reply.text for reply in replies] == [f"reply to question {number}" for number in range(count)]
    print(completer.account.cached, completer.account.answered, completer.account.failed)
"""


def ledger(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url.removesuffix("/v1"), timeout=10) as response:
        value: dict[str, Any] = json.load(response)
        return value


def killed_three_times(
    folder: Path, count: int, concurrency: int, options: dict[str, Any]
) -> tuple[list[int], dict[str, Any], int]:
    """(cached, answered, failed) of the last run, the endpoint's ledger, and how many replies the store held at the kills."""
    here = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(here)}
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.construction.fake_endpoint", json.dumps(options)],
        stdout=subprocess.PIPE,
        env=environment,
        cwd=here,
    )
    assert server.stdout is not None
    try:
        url = server.stdout.readline().decode().strip()
        store = folder / "replies.jsonl"
        command = [sys.executable, "-c", CLIENT, url, str(store), str(count), str(concurrency)]
        kept = 0
        for kill in range(1, 4):
            client = subprocess.Popen(command, env=environment, cwd=here)
            while store.stat().st_size < kill * 60 * count if store.exists() else True:
                assert client.poll() is None, "the client ended before it was killed"
                time.sleep(0.02)
            client.send_signal(signal.SIGKILL)
            client.wait()
            now = len(read_replies(store))
            assert now > kept
            kept = now
        done = subprocess.run(command, env=environment, cwd=here, capture_output=True, text=True, check=True)
        return [int(number) for number in done.stdout.split()], ledger(url), kept
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def check(folder: Path, count: int, concurrency: int, options: dict[str, Any]) -> None:
    (cached, answered, failed), books, kept = killed_three_times(folder, count, concurrency, options)
    assert failed == 0
    assert cached == kept, "every reply on disk at the kill is a cache hit afterwards"
    assert cached + answered == count
    assert len(books["sold"]) == count, "every request was answered"
    twice = sum(times - 1 for times in books["sold"].values())
    # Only what was in flight at a kill can be sold twice: it was never delivered.
    assert twice <= 3 * concurrency


def test_three_kills(tmp_path: Path):
    check(tmp_path, 60, 4, {"shares": {"busy": 0.05, "error": 0.05, "half": 0.05}, "latency": 0.05})


@pytest.mark.slow
def test_two_thousand_requests_and_three_kills(tmp_path: Path):
    shares = {"busy": 0.03, "error": 0.03, "half": 0.03, "slow": 0.03, "hang": 0.002}
    check(tmp_path, 2000, 64, {"shares": shares, "places": 48, "latency": 0.1})
