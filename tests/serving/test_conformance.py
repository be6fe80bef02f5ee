"""Our server passes every check, a broken one fails, and what no check names is refused by name."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from serving_requests import asked, data_url, picture
from typer.testing import CliRunner

from vistune.cli import app
from vistune.serving.conformance.checks import CHECKS, verdict
from vistune.serving.conformance.target import Target
from vistune.serving.server import Server


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_our_server_passes(check: Callable[[Target], None], server: Server) -> None:
    assert verdict(check, Target(server.url)) is None


class _Careless(BaseHTTPRequestHandler):
    """Says the same to everybody, whatever was asked."""

    def do_GET(self) -> None:
        self._say({"data": [{"id": "m"}]}, {"Access-Control-Allow-Origin": "*"})

    def do_POST(self) -> None:
        self.rfile.read(min(int(self.headers["Content-Length"]), 1 << 20))
        message = {"role": "assistant", "content": "Hello there, hello."}
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self._say({"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}, {})

    def _say(self, value: Any, headers: dict[str, str]) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        for name, text in {**headers, "Content-Length": str(len(content)), "Connection": "close"}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.mark.slow
def test_a_careless_server_is_found_out() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Careless) as careless:
        thread = threading.Thread(target=careless.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{careless.server_port}"
        found = {check.__name__ for check in CHECKS if verdict(check, Target(url)) is not None}
        done = CliRunner().invoke(app, ["conformance", url])
        careless.shutdown()
    passed = {check.__name__ for check in CHECKS} - found
    assert passed <= {"lists_models", "is_healthy", "answers_words", "sees_pictures", "remembers_turns", "keeps_a_seed"} | {
        "outlives_who_hangs_up",
        "refuses_large_bodies",
    }
    assert done.exit_code == 1 and "FAIL  stop ends an answer" in done.stdout


TEXT = {"type": "text", "text": "x"}
FILM = {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
UNSENT = {"type": "image_url", "image_url": None, "uuid": "?"}
ANSWERED = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]


def user(*parts: Any) -> list[Any]:
    return [{"role": "user", "content": list(parts)}]


def pointed(**region: Any) -> dict[str, Any]:
    """A question about a region of a picture."""
    return {"messages": user(*asked("red", "x")[0]["content"], {"type": "vistune", "vistune": {"region": region}})}


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "an unknown field": ({"foo": 1}, 400, "the field 'foo' is not supported"),
    "a misspelt field": ({"temprature": 1}, 400, "did you mean 'temperature'"),
    "tools": ({"tools": [{"type": "function"}]}, 400, "tools is a list of 1, which is not supported"),
    "logit_bias": ({"logit_bias": {"1": 2}}, 400, "logit_bias"),
    "top_p 0": ({"top_p": 0}, 400, "top_p is 0"),
    "top_logprobs alone": ({"top_logprobs": 2}, 400, "needs logprobs"),
    "two lengths": ({"max_tokens": 1, "max_completion_tokens": 2}, 400, "differ"),
    "stream_options alone": ({"stream_options": {}}, 400, "needs stream"),
    "too long an answer": ({"max_tokens": 500}, 400, "more than the 512"),
    "too many answers": ({"n": 100}, 400, "at most 32"),
    "a tool's message": ({"messages": [{"role": "tool", "content": "x"}]}, 400, "messages[0].role"),
    "a named message": ({"messages": [{"role": "user", "content": "x", "name": "a"}]}, 400, "messages[0].name"),
    "an answer last": (
        {"messages": ANSWERED},
        400,
        "no question",
    ),
    "two questions": ({"messages": [{"role": "user", "content": "x"}] * 2}, 400, "expected the assistant's"),
    "detail": (
        {"messages": user({"type": "image_url", "image_url": {"url": data_url(picture("red")), "detail": "low"}}, TEXT)},
        400,
        "detail is 'low'",
    ),
    "a film": (
        {"messages": user(FILM, TEXT)},
        400,
        "video",
    ),
    "a sound": (
        {"messages": user(SOUND, TEXT)},
        400,
        "audio",
    ),
    "a region of nothing": (
        {"messages": user({"type": "vistune", "vistune": {"region": {"box": [0, 0, 1, 1]}}}, TEXT)},
        400,
        "none was shown",
    ),
    "a box inside out": (
        {
            "messages": user(
                *asked("red", "x")[0]["content"], {"type": "vistune", "vistune": {"region": {"box": [0.9, 0, 0.1, 1]}}}
            )
        },
        400,
        "x1 <= x2",
    ),
    "a mask of another size": (
        pointed(mask={"size": [2, 2], "counts": [1, 3]}),
        400,
        "a mask is 2x2, but the picture it lies on is 40x30",
    ),
    "a mask nobody reads": (
        pointed(mask={"size": [30, 40], "counts": [600, 600]}),
        400,
        "mask cannot be written",
    ),
    "an unknown uuid": (
        {"messages": user(UNSENT, TEXT)},
        400,
        "no image was sent",
    ),
    "half a letter": ({"messages": [{"role": "user", "content": "\ud800"}]}, 400, "surrogate"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_honoured_is_refused_by_name(http: httpx.Client, name: str) -> None:
    change, status, said = REFUSED[name]
    body = {"model": "tiny", "messages": asked("red", "x"), "max_tokens": 3} | change
    reply = http.post("/v1/chat/completions", content=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    error = reply.json()["error"]
    assert reply.status_code == status and said in error["message"] and error["type"] == "invalid_request_error", error
