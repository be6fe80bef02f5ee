"""`vistune serve`, asked over a socket by whoever can reach it.

What must hold: every request is answered in a second or refused in one sentence of the API's own form, no file and no address
outside what was named is touched, and who asks properly meanwhile hears what was heard before.
"""

from __future__ import annotations

import base64
import io
import json
import random
import socket
import threading
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from tests.fuzz.changes import dumps, json_text, raw, tree
from tests.fuzz.oracles import Case, Changed
from vistune.errors import InputError
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.serving.server import Server
from vistune.serving.settings import Settings

_SECONDS, _BODY = 30, 1 << 20
_EVERY = 25  # requests, after which a proper one has to be answered as before
_SPEC: dict[str, Any] = {
    "llm": "builtin:language",
    "vision": {"kind": "huggingface", "path": "builtin:clip"},
    "connector": "mlp",
    "max_length": 256,
}
_PATHS = (
    "/",
    "/v1/models",
    "/health",
    "/metrics",
    "/v1/rank",
    "/v1/responses",
    "/votes",
    "/static/app.js",
    "/../pyproject.toml",
)
_HOSTS = (
    "[",
    "a:b:c",
    "127.0.0.1:99999999",
    "",
    "evil.example",
    "localhost.evil.example",
    "x" * 70000,
    "127.0.0.1@evil.example",
)


def _picture(chance: random.Random) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), chance.choice(("red", "blue"))).save(buffer, chance.choice(("PNG", "JPEG", "GIF", "WEBP")))
    content = raw(buffer.getvalue(), chance) if chance.random() < 0.3 else buffer.getvalue()
    return f"data:image/{chance.choice(('png', 'jpeg', 'x'))};base64,{base64.b64encode(content).decode()}"


def _request(chance: random.Random) -> dict[str, Any]:
    """One that would be answered, with fields of every kind."""
    shown = {"type": "image_url", "image_url": {"url": _picture(chance)}}
    content: Any = [shown, {"type": "text", "text": "What is this?"}] if chance.random() < 0.5 else "What is red?"
    more: dict[str, Any] = {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 3,
        "stop": ["x"],
        "n": 2,
        "logprobs": True,
        "top_logprobs": 2,
        "stream": True,
        "stream_options": {"include_usage": True},
        "frequency_penalty": 0.1,
        "response_format": {"type": "text"},
    }
    chosen = {name: more[name] for name in chance.sample(sorted(more), chance.randrange(4))}
    return {"model": "tiny", "messages": [{"role": "user", "content": content}], "max_tokens": 2, **chosen}


def _responses(chance: random.Random) -> dict[str, Any]:
    """One in the form of OpenAI's responses."""
    parts = [{"type": "input_image", "image_url": _picture(chance), "detail": "auto"}, {"type": "input_text", "text": "What?"}]
    written: dict[str, Any] = {"type": "message", "id": "a", "status": "completed", "role": "assistant"}
    written["content"] = [{"type": "output_text", "text": "Red.", "annotations": []}]
    asked = {"role": "user", "content": parts}
    more: dict[str, Any] = {
        "instructions": "Be short.",
        "temperature": 0.5,
        "stream": True,
        "include": ["message.output_text.logprobs"],
        "text": {"format": {"type": "text"}},
        "store": False,
    }
    chosen = {name: more[name] for name in chance.sample(sorted(more), chance.randrange(4))}
    items: Any = chance.choice(("What is red?", [asked], [asked, written, asked]))
    return {"model": "tiny", "input": items, "max_output_tokens": 2, **chosen}


class Surface:
    """A small model of the shipped backbones, served on loopback in this process."""

    def __init__(self, folder: Path) -> None:
        torch.manual_seed(0)
        model = VisionLanguageModel(ModelSpec.from_json(_SPEC)).eval()
        self._server = Server({"tiny": lambda: model}, Settings(port=0, body=_BODY, seconds=0.5, votes=folder / "votes"))
        threading.Thread(target=self._server.run_all, daemon=True).start()
        while self._server.service.state != "ready" or not self._server.started:
            time.sleep(0.01)
        self._port = int(self._server.url.rstrip("/").rpartition(":")[2])
        proper = _request(random.Random(1)) | {"max_tokens": 4, "stream": False, "temperature": 0, "n": 1}
        self._proper = self._sent("POST", "/v1/chat/completions", json.dumps(proper).encode(), {})
        self._before = self._answer()
        self._asked = 0

    def make(self, chance: random.Random, room: Path) -> Case:
        """A request with a fault in its tree, its bytes, its head or its length."""
        fault = chance.choice(("body", "body", "body", "json", "medium", "path", "head", "bytes", "length"))
        method, path, head = "POST", "/v1/chat/completions", dict[str, str]()
        body = json.dumps(_request(chance)).encode()
        if fault == "body":
            path = chance.choice((path, path, path, "/v1/rank", "/v1/responses", "/votes"))
            whole = _responses(chance) if path == "/v1/responses" else _request(chance)
            body = dumps(tree(whole, chance)).encode()
        elif fault == "json":
            body = json_text(_request(chance), chance)
        elif fault == "path":
            method, path = chance.choice(("GET", "POST", "PUT", "DELETE", "OPTIONS")), chance.choice(_PATHS)
            if chance.random() < 0.5:
                path = raw(path.encode(), chance).decode("latin-1").replace("\n", "%0a").replace(" ", "%20")
        elif fault == "head":
            head = {chance.choice(("Host", "Origin", "Content-Type", "Transfer-Encoding", "Expect")): chance.choice(_HOSTS)}
        elif fault == "length":
            head = {
                "Content-Length": chance.choice(("-1", "1e9", "99999999999999999999", str(len(body) - 5), str(len(body) + 9)))
            }
        sent = self._sent(method, path, body, head)
        if fault == "bytes":
            sent = raw(sent, chance)
        (room / "request").write_bytes(sent)
        return Case(f"request {fault}", lambda: self._ask(sent), inside=True)

    def _sent(self, method: str, path: str, body: bytes, head: dict[str, str]) -> bytes:
        named = {"Host": f"127.0.0.1:{self._port}", "Content-Type": "application/json", "Content-Length": str(len(body))} | head
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        return f"{method} {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode("latin-1", "replace") + body

    def _exchange(self, sent: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self._port), timeout=_SECONDS) as made:
            answer = b""
            try:
                made.sendall(sent)  # and left open: one that closes its side has hung up, and need not be answered
                while chunk := made.recv(65536):
                    answer += chunk
            except ConnectionError:  # what is no HTTP may be hung up on
                pass
        return answer

    def _answer(self) -> Any:
        return json.loads(self._exchange(self._proper).partition(b"\r\n\r\n")[2])["choices"][0]["message"]

    def _ask(self, sent: bytes) -> None:
        answer = self._exchange(sent)
        self._asked += 1
        if self._asked % _EVERY == 0 and self._answer() != self._before:
            raise Changed("a proper request is answered otherwise than before")
        if not answer:
            raise InputError("hung up")
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if not 200 <= status < 500:
            raise Changed(f"answered {answer[:300]!r}")
        if status >= 400:
            raise InputError(_sentence(head, body))


def _sentence(head: bytes, body: bytes) -> str:
    """What a refusal says: the API's `error.message`, or the plain word of what reads HTTP itself."""
    if b"application/json" not in head.lower():
        return body.decode("utf-8", "replace").strip() or head.split(b"\r\n")[0].decode("latin-1")
    said = json.loads(body)
    try:
        return str(said["error"]["message"])
    except (KeyError, TypeError):
        raise Changed(f"refused in another form: {body[:300]!r}") from None
