"""Hostile requests, drawn from a seed: no crash, no stalled neighbour, nothing read or fetched, every refusal a sentence."""

from __future__ import annotations

import http.client
import io
import json
import random
import socket
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest
from PIL import Image
from serving_requests import asked, data_url, picture, serving

from vistune.model.vlm import VisionLanguageModel
from vistune.serving.server import Server

PATHS = (
    *("/etc/passwd", "file:///etc/passwd", "../../../etc/shadow", "~/.ssh/id_rsa"),
    *("C:\\boot.ini", "\\\\host\\share", "/proc/self/environ"),
)
ODD = (
    *(None, True, -1, 0, 1 << 70, 1e308, "", "\x00", [], {}, [[]], "a" * 5000),
    *("../../etc/passwd", "__class__", ["x"] * 400, {"$ref": "#"}),
)
BODY = 1 << 20

_seen: list[str] = []
_watching = False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event == "open" and any(word in str(arguments[0]) for word in ("passwd", "shadow", "id_rsa", "boot.ini", "environ")):
        _seen.append(f"open {arguments[0]}")
    if event == "urllib.Request" or (event == "socket.getaddrinfo" and arguments[0] != "127.0.0.1"):  # the test's own clients
        _seen.append(f"{event} {arguments[0]}")


sys.addaudithook(_audit)


def valid() -> dict[str, Any]:
    return {"model": "tiny", "messages": asked("red", "What?"), "max_tokens": 4, "temperature": 0}


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def lying_png(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 4000)) + chunk(b"IEND", b"")


def bomb() -> bytes:
    """Eighty-one megapixels in a few kilobytes."""
    buffer = io.BytesIO()
    Image.new("1", (9000, 9001)).save(buffer, "PNG")
    return buffer.getvalue()


def nodes(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if place:
        yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield from nodes(inner, (*place, name))


class Attacks:
    """One attack after another; each returns what the server said, or None where nothing can be heard."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server, self.draw = server, random.Random(seed)
        self.http = httpx.Client(base_url=server.url, timeout=60, trust_env=False)
        self.address = ("127.0.0.1", int(server.url.rsplit(":", 1)[1].strip("/")))
        self.bomb = bomb()
        self.open: list[socket.socket] = []
        often = [self.bytes_changed, self.values_changed, self.values_changed, self.pictures]
        once = [self.paths, self.nested, self.large, self.slow, self.hung_up, self.foreign, self.garbage, self.elsewhere]
        self.kinds: list[Callable[[], httpx.Response | None]] = [*often, *often, *once]

    def next(self) -> httpx.Response | None:
        return self.draw.choice(self.kinds)()

    def post(self, content: bytes | dict[str, Any], **headers: str) -> httpx.Response:
        body = json.dumps(content).encode() if isinstance(content, dict) else content
        given = {"Content-Type": "application/json", **headers}
        return self.http.post("/v1/chat/completions", content=body, headers=given)

    def bytes_changed(self) -> httpx.Response:
        body = bytearray(json.dumps(valid()).encode())
        for _ in range(self.draw.randint(1, 6)):
            place = self.draw.randrange(len(body))
            change = self.draw.randrange(3)
            body[place : place + (change != 1)] = b"" if change == 0 else bytes([self.draw.randrange(256)])
        return self.post(bytes(body))

    def values_changed(self) -> httpx.Response:
        body = valid() | {
            "n": 1,
            "stop": ["x"],
            "logprobs": True,
            "top_logprobs": 1,
            "seed": 1,
            "response_format": {"type": "text"},
        }
        for _ in range(self.draw.randint(1, 3)):
            *way, last = self.draw.choice(list(nodes(body)))
            inner: Any = body
            for step in way:
                inner = inner[step]
            inner[last] = deepcopy(self.draw.choice(ODD))
        return self.post(body)

    def pictures(self) -> httpx.Response:
        good = picture("red")
        content = self.draw.choice(
            [lying_png(60000, 60000), lying_png(20, 20), lying_png(0, 9), self.bomb, good[: self.draw.randrange(len(good))],
             self.draw.randbytes(500), b"\xff\xd8\xff" + self.draw.randbytes(200), b"GIF89a" + self.draw.randbytes(80), b"",
             b"<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>", b"%!PS\n(/etc/passwd) run\n"]
        )  # fmt: skip
        body = valid()
        body["messages"][0]["content"][0]["image_url"]["url"] = data_url(content)
        return self.post(body)

    def paths(self) -> httpx.Response:
        body = valid()
        shown = body["messages"][0]["content"][0]
        path = self.draw.choice(PATHS)
        which = self.draw.randrange(4)
        if which == 0:
            shown["image_url"]["url"] = path
        elif which == 1:
            shown |= {"image_url": None, "uuid": path}
        elif which == 2:
            body["model"] = path
        else:
            return self.http.get(f"/page/{path}")
        return self.post(body)

    def nested(self) -> httpx.Response:
        depth = self.draw.choice([500, 50_000])
        return self.post(b'{"model":' + b"[" * depth + b"]" * depth + b"}")

    def large(self) -> httpx.Response:
        if self.draw.random() < 0.5:
            return self.post(b" " * (BODY + 1))
        pieces = (b" " * 65536 for _ in range(BODY // 65536 + 2))
        return self.http.post("/v1/chat/completions", content=pieces, headers={"Content-Type": "application/json"})

    def slow(self) -> None:
        made = socket.create_connection(self.address)
        made.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n")
        if self.draw.random() < 0.5:
            made.sendall(b'Content-Length: 900\r\n\r\n{"model":')
        self.open.append(made)
        if len(self.open) > 40:
            self.open.pop(0).close()

    def hung_up(self) -> None:
        body = json.dumps(valid() | {"stream": True, "max_tokens": 300}).encode()
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
        if self.draw.random() < 0.5:
            connection.getresponse().read(self.draw.randrange(1, 400))
        connection.close()

    def foreign(self) -> httpx.Response:
        header = self.draw.choice(
            [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": ""}]
        )
        reply = self.post(valid(), **header)
        assert reply.status_code in (400, 403) and "access-control-allow-origin" not in reply.headers
        return reply

    def garbage(self) -> None:
        with socket.create_connection(self.address) as made:
            made.sendall(self.draw.randbytes(self.draw.randrange(1, 300)) + b"\r\n\r\n")

    def elsewhere(self) -> httpx.Response:
        body = valid()
        addresses = [f"{self.server.url}health", "http://169.254.169.254/", "http://localhost:22/", "https://user:x@127.0.0.1/"]
        body["messages"][0]["content"][0]["image_url"]["url"] = self.draw.choice(addresses)
        return self.post(body)


def check(reply: httpx.Response) -> None:
    assert reply.status_code in (200, 400, 403, 404, 408, 413, 415, 429), (reply.status_code, reply.text[:300])
    if reply.status_code != 200:
        if reply.headers["content-type"].startswith("text/plain"):  # what is no HTTP is refused before anybody reads it
            assert reply.status_code == 400
            return
        message = reply.json()["error"]["message"]
        assert message and "\n" not in message and "Traceback" not in message and len(message) < 2000


@pytest.mark.parametrize("count", [200, pytest.param(5000, marks=pytest.mark.slow)])
def test_hostile_requests_harm_nobody(count: int, tiny_model: VisionLanguageModel) -> None:
    global _watching
    with serving({"tiny": lambda: tiny_model}, body=BODY, seconds=3.0) as server:
        attacks = Attacks(server, 20)
        before = attacks.post(valid()).json()["choices"][0]["message"]["content"]
        stop, answers = threading.Event(), []

        def neighbour() -> None:
            with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as http:
                while not stop.is_set():
                    answers.append(http.post("/v1/chat/completions", json=valid()).json()["choices"][0]["message"]["content"])

        thread = threading.Thread(target=neighbour)
        thread.start()
        _watching = True
        heard = 0
        try:
            for _ in range(count):
                reply = attacks.next()
                if reply is not None:
                    check(reply)
                    heard += 1
        finally:
            _watching = False
            stop.set()
            thread.join(90)
        assert not thread.is_alive() and answers and set(answers) == {before}, "a neighbour was never kept waiting or misled"
        assert heard > count // 2
        assert _seen == [], "no file and no address outside what was named"
        assert attacks.post(valid()).json()["choices"][0]["message"]["content"] == before
        for made in attacks.open:
            made.close()


def test_who_says_half_a_head_is_hung_up_on_and_who_asks_slowly_is_not(tiny_model: VisionLanguageModel) -> None:
    with serving({"tiny": lambda: tiny_model}, seconds=0.5) as server:
        address = ("127.0.0.1", int(server.url.rstrip("/").rpartition(":")[2]))
        for said in (b"", b"POST /v1/chat", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"):
            with socket.create_connection(address, timeout=20) as silent:
                silent.sendall(said)
                assert silent.recv(100) == b"", "the end of the connection"
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as http:
            for _ in range(2):  # the connection is kept while an answer takes longer than a head may
                reply = http.post("/v1/chat/completions", json=valid() | {"max_tokens": 200})
                assert reply.status_code == 200


def test_media_are_fetched_from_named_hosts_alone(tiny_model: VisionLanguageModel) -> None:
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Pictures(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "/red.png")
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(picture("red") if self.path == "/red.png" else b"x" * (BODY + 1))

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Pictures) as pictures:
        threading.Thread(target=pictures.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{pictures.server_port}"
        with serving({"tiny": lambda: tiny_model}, hosts=(host,), body=BODY) as server:
            http = httpx.Client(base_url=server.url, timeout=60, trust_env=False)

            def shown(url: str) -> httpx.Response:
                body = valid()
                body["messages"][0]["content"][0]["image_url"]["url"] = url
                return http.post("/v1/chat/completions", json=body)

            fetched = shown(f"http://{host}/red.png").json()["choices"][0]["message"]["content"]
            assert fetched == http.post("/v1/chat/completions", json=valid()).json()["choices"][0]["message"]["content"]
            assert "could not be fetched" in shown(f"http://{host}/away").json()["error"]["message"], "no redirect is followed"
            assert shown(f"http://{host}/large").status_code == 413
            assert "--allow-host" in shown("http://127.0.0.1:1/red.png").json()["error"]["message"]
        pictures.shutdown()


def test_a_key_is_asked_for_and_compared(tiny_model: VisionLanguageModel) -> None:
    with serving({"tiny": lambda: tiny_model}, key="sesame") as server:
        http = httpx.Client(base_url=server.url, timeout=60, trust_env=False)
        for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "sesame"}, {"Authorization": "Basic sesame"}):
            for path in ("/v1/models", "/metrics", "/v1/chat/completions", "/votes"):
                reply = http.request("GET" if path in ("/v1/models", "/metrics") else "POST", path, headers=given)
                assert reply.status_code == 401 and reply.json()["error"]["code"] == "invalid_api_key"
        assert http.get("/v1/models", headers={"Authorization": "Bearer sesame"}).status_code == 200
        assert http.get("/health").status_code == 200 and http.get("/").status_code == 200
        policy = http.get("/").headers["content-security-policy"]
        assert "script-src 'self'" in policy and "unsafe" not in policy
