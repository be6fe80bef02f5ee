"""A server as a process: loading, draining at SIGTERM, killed while it answers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving_requests import asked, free_port
from typer.testing import CliRunner

from vistune.cli import app
from vistune.evals.human.ratings import read_all
from vistune.evals.human.study import load_study
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save
from vistune.serving.settings import Settings


@contextmanager
def started(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    port = free_port()
    program = str(Path(sys.executable).with_name("vistune"))
    process = subprocess.Popen([program, "serve", f"m={folder}", "--port", str(port), *more], stderr=subprocess.DEVNULL)
    http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False)
    try:
        while True:
            assert process.poll() is None, "the server ended"
            try:
                reply = http.get("/health")
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if reply.status_code == 200:
                break
            assert reply.status_code == 503 and reply.json()["status"] == "loading"
        yield process, http
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def folder(tiny_model: VisionLanguageModel, tmp_path: Path) -> Path:
    save(tiny_model, tmp_path / "m", {"llm", "vision", "connector"})
    return tmp_path / "m"


def body(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": asked("red", "What?"), "max_tokens": 400, "temperature": 0, "stream": True, **more}


@pytest.mark.slow
def test_sigterm_finishes_running_answers_and_refuses_new_ones(folder: Path) -> None:
    with started(folder) as (process, http):
        with http.stream("POST", "/v1/chat/completions", json=body()) as reply:
            lines = reply.iter_lines()
            first = next(lines)
            other = httpx.Client(base_url=http.base_url, timeout=60, trust_env=False)
            assert other.get("/health").status_code == 200
            process.send_signal(signal.SIGTERM)
            while other.get("/health").json()["status"] != "draining":
                time.sleep(0.005)
            refused = other.post("/v1/chat/completions", json=body())
            assert refused.status_code == 503 and refused.headers["retry-after"] == "5"
            events = [first, *lines]
        assert "data: [DONE]" in events, "the running answer was finished"
        reasons = [json.loads(event[6:])["choices"][0]["finish_reason"] for event in events if event.startswith("data: {")]
        assert [reason for reason in reasons if reason] in (["length"], ["stop"])
        assert process.wait(60) == 0


@pytest.mark.slow
def test_killed_under_load_leaves_nothing_half_written(folder: Path, tmp_path: Path) -> None:
    votes = tmp_path / "votes"
    sample = {"id": "x", "turns": [{"role": "user", "content": [{"text": "What?"}]}]}
    total = 0
    for turn in range(3):
        with started(folder, f"other={folder}", "--votes", str(votes)) as (process, http):
            kept: list[int] = []

            def vote(number: int, http: httpx.Client = http, kept: list[int] = kept) -> None:
                answers = {"m": f"a {turn} {number}", "other": "b"}
                try:
                    reply = http.post("/votes", json={"rater": "ann", "sample": sample, "answers": answers, "better": "m"})
                    kept.append(reply.status_code)
                    http.post("/v1/chat/completions", json=body(stream=False))
                except httpx.HTTPError:
                    return

            threads = [
                threading.Thread(target=lambda first=first: [vote(first + number) for number in range(50)])
                for first in (0, 100, 200, 300)
            ]
            for thread in threads:
                thread.start()
            while len(kept) < 3:
                time.sleep(0.01)
            process.kill()
            for thread in threads:
                thread.join()
        study = load_study(votes)
        assert all(status == 200 for status in kept)
        total += len(kept)
        assert len(read_all(votes, study)) >= total, "every vote that was answered is there"


def test_beyond_loopback_a_key_is_needed(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["serve", str(tmp_path), "--host", "0.0.0.0", "--port", "0"])
    assert "can be reached by others" in str(done.exception)
    assert Settings(host="0.0.0.0", key="k").key == "k" and Settings(host="0.0.0.0", open=True).open
    assert Settings(host="127.0.0.2").host == "127.0.0.2"


def test_a_model_that_cannot_be_loaded_ends_the_server_with_its_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["serve", f"m={tmp_path}", "--port", "0"])
    assert done.exit_code != 0 and str(tmp_path) in str(done.exception)
