"""How much of an endpoint's own capacity the endpoint completer uses: `python -m benchmarks.build_endpoint`.

A chat endpoint on loopback takes `places` requests at a time, `latency` seconds each, and refuses the rest with 429: it can
answer at most `places / latency` requests a second. Printed: that limit, what 2,000 requests reached, and their ratio; the
processor time that the asking side took for a request says what remains true on a busier machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vistune.completer import Message, Request
from vistune.construction.completers.endpoint import Endpoint
from vistune.construction.running.store import ReplyStore


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--places", type=int, default=32)
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--faults", type=float, default=0.0, help="share of each of: error, half-written, slow")
    given = parser.parse_args()
    shares = dict.fromkeys(("error", "half", "slow"), given.faults)
    options = {"places": given.places, "latency": given.latency, "shares": shares}
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.construction.fake_endpoint", json.dumps(options)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        print(json.dumps(measured(url, given.requests, given.concurrency, given.places / given.latency)))
    finally:
        server.kill()
        server.wait()


def measured(url: str, count: int, concurrency: int, limit: float) -> dict[str, object]:
    """Ask `count` requests and compare with `limit` requests a second."""
    requests = [Request((Message("user", f"question {number}"),), max_tokens=20) for number in range(count)]
    with tempfile.TemporaryDirectory() as folder, ReplyStore(Path(folder) / "replies.jsonl") as store:
        completer = Endpoint(url, "fake", concurrency=concurrency, store=store)
        began, worked = time.perf_counter(), time.process_time()
        replies = list(completer.complete(requests))
        seconds, worked = time.perf_counter() - began, time.process_time() - worked
        completer.close()
    tries = completer.account.answered + sum(completer.account.retries.values())
    failed = sum(bool(reply.error) for reply in replies)
    rate = count / seconds
    return {
        "limit_per_second": limit,
        "reached_per_second": round(rate, 2),
        "ratio": round(rate / limit, 3),
        "seconds": round(seconds, 2),
        "client_cpu_ms_per_request": round(1000 * worked / count, 3),
        "answered": count - failed,
        "failed": failed,
        "tries": tries,
        "retries": dict(completer.account.retries),
    }


if __name__ == "__main__":
    main()
