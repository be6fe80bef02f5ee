"""Chat models over HTTP, asked through a real server that checks each provider's body and answers in its form."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError
from vistune.evals.http_model import HttpModel
from vistune.sample import Media, MediaRef, Region, Sample, Text, Turn

PIXELS = np.zeros((4, 6, 3), dtype=np.uint8)
SECRET = "sk-test-0123456789"
TURNS = (
    Turn("user", (Text("Look: "), MediaRef(0), Text(" what is at "), Region(box=(0.0, 0.5, 1.0, 1.0)), Text("?"))),
    Turn("assistant", (Text("A bus."),)),
    Turn("user", (Text("Its colour?"),)),
    Turn("assistant", (Text("red"),)),
)
BOX = "[0.000,0.500,1.000,1.000]"
REPLIES: dict[str, Any] = {
    "openai": {"choices": [{"message": {"content": " red "}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 7}},
    "anthropic": {"content": [{"type": "text", "text": "red"}], "stop_reason": "end_turn", "usage": {"input_tokens": 7}},
    "google": {"candidates": [{"content": {"parts": [{"text": "re"}, {"text": "d"}]}, "finishReason": "STOP"}]},
}
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "google": "/v1/models/some-model:generateContent"}
SHOWN = {"openai": "Authorization", "anthropic": "x-api-key", "google": "x-goog-api-key"}


def expected(api: str, picture: str) -> dict[str, Any]:
    """The body, written out."""
    words = f" what is at {BOX}?"
    if api == "openai":
        image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}
        first = [{"type": "text", "text": "Look: "}, image, {"type": "text", "text": words}]
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": first},
            {"role": "assistant", "content": "A bus."},
            {"role": "user", "content": "Its colour?"},
        ]
        return {"model": "some-model", "messages": messages, "max_tokens": 9, "temperature": 0.0, "seed": 0, "top_p": 0.5}
    if api == "anthropic":
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture}}
        messages = [
            {"role": "user", "content": [{"type": "text", "text": "Look: "}, image, {"type": "text", "text": words}]},
            {"role": "assistant", "content": [{"type": "text", "text": "A bus."}]},
            {"role": "user", "content": [{"type": "text", "text": "Its colour?"}]},
        ]
        body = {"model": "some-model", "messages": messages, "max_tokens": 9, "temperature": 0.0}
        return body | {"system": "Be brief.", "top_p": 0.5}
    image = {"inline_data": {"mime_type": "image/png", "data": picture}}
    contents = [
        {"role": "user", "parts": [{"text": "Look: "}, image, {"text": words}]},
        {"role": "model", "parts": [{"text": "A bus."}]},
        {"role": "user", "parts": [{"text": "Its colour?"}]},
    ]
    settings = {"maxOutputTokens": 9, "temperature": 0.0, "seed": 0}
    return {
        "contents": contents,
        "generationConfig": settings,
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "top_p": 0.5,
    }


class Server:
    """Answers each request with the next of `plan` (status, body), and remembers what came."""

    def __init__(self, plan: list[tuple[int, bytes]]) -> None:
        self.plan, self.came = plan, []
        server, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    server.came.append((self.path, dict(self.headers), body))
                    status, content = server.plan.pop(0) if len(server.plan) > 1 else server.plan[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def served() -> Iterator[Any]:
    servers: list[Server] = []

    def start(*plan: tuple[int, Any]) -> Server:
        encoded = [(status, body if isinstance(body, bytes) else json.dumps(body).encode()) for status, body in plan]
        servers.append(Server(encoded))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()


def settings(server: Server, api: str, **more: Any) -> dict[str, Any]:
    return {"api": api, "url": server.url, "model": "some-model", "key_env": "TEST_KEY", "system": "Be brief."} | more


def sample(name: str = "a") -> Sample:
    return Sample(name, (Media("image", data=PIXELS),), TURNS)


@pytest.mark.parametrize("api", REPLIES)
def test_each_provider_is_asked_in_its_form_through_trouble(
    api: str, served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", SECRET)
    server = served(
        (429, {"error": "busy"}), (500, {"error": "oops"}), (200, b'{"choi'), (200, {"no": "reply"}), (200, REPLIES[api])
    )
    model = HttpModel(settings(server, api, extra={"top_p": 0.5}), tmp_path / "replies.jsonl")
    assert model.generate([sample()], max_new_tokens=9) == ["red"]
    model.close()
    assert len(server.came) == 5 and len({json.dumps(body) for _, _, body in server.came}) == 1
    path, headers, body = server.came[-1]
    encoded = json.dumps(body)
    picture = next(part for part in encoded.split('"') if "iVBOR" in part).rpartition(",")[2]
    assert body == expected(api, picture) and path == PATHS[api]
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    assert {key.lower(): value for key, value in headers.items()}[SHOWN[api].lower()].endswith(SECRET)
    kept = (tmp_path / "replies.jsonl").read_text()
    assert "red" in kept and SECRET not in kept and SECRET not in model.identity


def test_predict_asks_and_resumes_without_asking_again(served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", SECRET)
    server = served((200, REPLIES["anthropic"]))
    config, out = tmp_path / "model.yaml", tmp_path / "answers.jsonl"
    config.write_text(yaml.safe_dump(settings(server, "anthropic", concurrency=2)))
    command = ["predict", f"http:{config}", "--data", "world:?task=colour&size=5", "--out", str(out), "--batch-size", "2"]
    for _ in range(2):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
        assert len(server.came) == 5
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == 5 and {line["answer"] for line in lines} == {"red"}
    assert all(line["extras"]["model"].startswith("some-model@") for line in lines)
    for file in tmp_path.iterdir():
        assert SECRET not in file.read_text(errors="replace")


def test_a_refused_prompt_fails_with_its_sample_and_keeps_the_others(
    served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", SECRET)
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}}
    server = served((200, REPLIES["google"]), (200, blocked))
    replies = tmp_path / "replies.jsonl"
    model = HttpModel(settings(server, "google", concurrency=1), replies)
    # Without a picture, which a thread would encode: then the second may be sent first.
    first, second = (Sample(name, (), (Turn("user", (Text(text),)),)) for name, text in (("a", "Where?"), ("b", "Who?")))
    with pytest.raises(InputError, match=r"sample 'b': the model gave no answer \(the prompt was blocked: SAFETY\)"):
        model.generate([first, second])
    model.close()
    assert len(replies.read_text().splitlines()) == 1


WRONG = {
    "a key in the file": ({"api_key": SECRET}, "a key is not written into files"),
    "an unknown provider": ({"api": "antropic"}, "did you mean 'anthropic'"),
    "an unknown setting": ({"concurency": 3}, "did you mean 'concurrency'"),
    "no address": ({"url": "nowhere"}, "is no address"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_configurations_are_refused_without_the_key(name: str, served: Any, tmp_path: Path) -> None:
    changes, complaint = WRONG[name]
    with pytest.raises(InputError, match=complaint) as refusal:
        HttpModel(settings(served((200, {})), "openai") | changes, tmp_path / "replies.jsonl")
    assert SECRET not in str(refusal.value)


def test_a_refused_key_stops_at_once_and_is_not_repeated(served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", SECRET)
    server = served((401, {"error": f"wrong key {SECRET}"}))
    model = HttpModel(settings(server, "openai"), tmp_path / "replies.jsonl")
    with pytest.raises(InputError, match="answers 401") as refusal:
        model.generate([sample()])
    model.close()
    assert len(server.came) == 1 and SECRET not in str(refusal.value)
