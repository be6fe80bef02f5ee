"""A real chat endpoint on loopback that misbehaves: busy, broken, slow, half-written, by a seed and a plan of shares.

Run as a program it prints its port, serves until killed, and answers GET /ledger with what it has been asked and has sold.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAULTS = ("busy", "error", "half", "slow", "hang", "denied", "unfit", "moved", "garbled")


class FakeEndpoint:
    """`shares` says how often each fault happens; `places` is how many requests it takes at a time before it is busy.

    `value` is the JSON of every whole reply instead of one made from the question.
    """

    def __init__(
        self,
        shares: dict[str, float] | None = None,
        places: int = 1000,
        latency: float = 0.0,
        seed: int = 0,
        text: str = "",
        value: Any = None,
        wait: str = "0.05",
    ) -> None:
        self.shares, self.places, self.latency, self.text, self.value = shares or {}, places, latency, text, value
        self.wait = wait  # seconds that a busy endpoint asks for
        self.bodies: list[bytes] = []  # what was asked
        self.sold: Counter[str] = Counter()  # whole replies, by the request's body
        self.seen: Counter[str] = Counter()  # requests, by outcome
        self.keys: set[str] = set()  # the authorisations that came
        self._draw, self._lock, self._inside = random.Random(seed), threading.Lock(), 0
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # as servers in use have it: else a body waits 40 ms for its headers' ACK

            def do_POST(self) -> None:
                endpoint.answer(self)

            def do_GET(self) -> None:
                _send(self, 200, endpoint.ledger())

            def log_message(self, *args: Any) -> None:
                pass

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def __enter__(self) -> FakeEndpoint:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def ledger(self) -> dict[str, Any]:
        with self._lock:
            return {"seen": dict(self.seen), "sold": dict(self.sold)}

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self._lock:
            self.keys.add(handler.headers.get("Authorization", ""))
            self._inside += 1
            fault = "busy" if self._inside > self.places else self._fault()
            self.seen[fault] += 1
            self.bodies.append(body)
        try:
            self._respond(handler, body, fault)
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True  # the client was killed
        finally:
            with self._lock:
                self._inside -= 1

    def _fault(self) -> str:
        draw = self._draw.random()
        for name in FAULTS:
            draw -= self.shares.get(name, 0.0)
            if draw < 0:
                return name
        return "sold"

    def _respond(self, handler: BaseHTTPRequestHandler, body: bytes, fault: str) -> None:
        if fault == "busy":
            _send(handler, 429, {"error": "too many requests"}, {"Retry-After": self.wait})
            return
        time.sleep(self.latency)
        if fault == "error":
            _send(handler, 500, {"error": "internal error"})
        elif fault == "denied":
            _send(handler, 401, {"error": f"wrong key: {handler.headers.get('Authorization')}"})
        elif fault == "unfit":
            _send(handler, 400, {"error": "the prompt is longer than the model takes"})
        elif fault == "moved":
            _send(handler, 301, "", {"Location": "https://elsewhere/v1/chat?key=sk"})
        elif fault == "garbled":
            _send(handler, 200, "no gzip", {"Content-Encoding": "gzip"})
        elif fault == "hang":
            time.sleep(30)
        else:
            self._reply(handler, body, fault)

    def _reply(self, handler: BaseHTTPRequestHandler, body: bytes, fault: str) -> None:
        asked = json.loads(body)["messages"][-1]["content"]
        text = self.text or f"reply to {asked}"
        value = self.value or {
            "model": "fake",
            "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5},
        }
        content = json.dumps(value).encode()
        if fault == "half":
            content = content[: len(content) // 2]
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        for start in range(0, len(content), 16) if fault == "slow" else ():
            handler.wfile.write(content[start : start + 16])
            handler.wfile.flush()
            time.sleep(0.01)
        if fault != "slow":
            handler.wfile.write(content)
            handler.wfile.flush()
        if fault != "half":
            with self._lock:
                self.sold[hashlib.sha256(body).hexdigest()] += 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def _send(handler: BaseHTTPRequestHandler, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
    content = json.dumps(value).encode()
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content)))
    for name, said in (headers or {}).items():
        handler.send_header(name, said)
    handler.end_headers()
    handler.wfile.write(content)


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    with FakeEndpoint(**options) as endpoint:
        print(endpoint.url, flush=True)
        threading.Event().wait()
