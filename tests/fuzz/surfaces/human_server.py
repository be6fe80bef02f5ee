"""The server of the rating page, asked over a socket by whoever can reach it.

What must hold: every request is answered, by no error of the server's own; a rating that is taken is in the file as it was
sent; and nothing else appears in the study's folder.
"""

from __future__ import annotations

import io
import json
import random
import socket
import threading
from pathlib import Path
from typing import Any

from PIL import Image

from tests.fuzz.changes import dumps, raw, tree
from tests.fuzz.oracles import Case, Changed
from vistune.errors import InputError
from vistune.evals.human.ratings import read_all
from vistune.evals.human.server import RatingServer
from vistune.evals.human.study import load_study, make_study
from vistune.sample import Media, MediaRef, Sample, Text, Turn

_SECONDS = 30


class _Quiet(RatingServer):
    """Keeps what would be printed as a traceback."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.errors: list[str] = []
        super().__init__(*arguments, **named)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Of `socketserver`: called inside the exception's handler."""
        import traceback

        self.errors.append(traceback.format_exc())


class Surface:
    """One study of two samples; requests of every kind, right but for a fault."""

    def __init__(self, folder: Path) -> None:
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8), "red").save(buffer, "PNG")
        turn = Turn("user", (MediaRef(0), Text("What?")))
        samples = [Sample(f"s{n}", (Media("image", data=buffer.getvalue()),), (turn,)) for n in range(2)]
        self._out = folder / "study"
        self._study = make_study(samples, {"a": {"s0": "x", "s1": "y"}, "b": {"s0": "z", "s1": ""}}, self._out)
        self._server = _Quiet(self._study, self._out, port=0)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def make(self, chance: random.Random, room: Path) -> Case:
        """A request, or a damaged folder of a study."""
        if chance.random() < 0.1:
            return self._damaged_study(chance, room)
        rater = f"r{chance.randrange(50)}"
        tasks = self._study.tasks(rater)
        number = chance.randrange(len(tasks))
        values: Any = {"relevance": 4, "coherence": 5, "fluency": 3} if tasks[number].ask == "rate" else {"preference": "left"}
        body = dumps(tree({"rater": rater, "n": number, "values": values}, chance)).encode()
        paths = ["/", "/page.js", f"/api/progress?rater={rater}", f"/api/task?rater={rater}&n={number}", "/media/x.png"]
        head = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(body))}
        fault = chance.choice(("body", "body", "path", "head", "bytes", "length"))
        method, path = ("POST", "/api/rate") if fault in ("body", "length") else ("GET", chance.choice(paths))
        if fault == "path":
            path = raw(path.encode(), chance).decode("latin-1").replace("\n", "%0a")
        elif fault == "head":
            name = chance.choice(list(head))
            hosts = ("[", "[::1", "a:b:c", "127.0.0.1:99999999", "\xff", "", "evil.example", "[127.0.0.1]", "//", "x" * 70000)
            head[name] = chance.choice((*hosts, "-1", "1e9", "99999999999999999999", "0x10", "text/plain", "a/b; c"))
            method, path = chance.choice((("POST", "/api/rate"), (method, path)))
        elif fault == "length":
            head["Content-Length"] = str(max(0, len(body) + chance.choice((-5, 5, 60_000))))
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        sent = f"{method} {path} HTTP/1.{chance.choice('01')}\r\n{lines}Connection: close\r\n\r\n".encode("latin-1", "replace")
        sent += body if method == "POST" else b""
        if fault == "bytes":
            sent = raw(sent, chance)
        (room / "request").write_bytes(sent)
        return Case(f"request {fault}", lambda: self._ask(sent, body if fault in ("body", "head") else None), inside=True)

    def _ask(self, sent: bytes, body: bytes | None) -> None:
        self._server.errors.clear()
        with socket.create_connection(("127.0.0.1", self._server.server_port), timeout=_SECONDS) as raw_socket:
            try:
                raw_socket.sendall(sent)
                raw_socket.shutdown(socket.SHUT_WR)
                answer = b""
                while chunk := raw_socket.recv(65536):
                    answer += chunk
            except ConnectionError:
                answer = b""
        if self._server.errors:
            raise Changed(f"an error of the server's own: {self._server.errors[0]}")
        status = answer.split(b" ", 2)[1:2]
        if answer.startswith(b"HTTP/") and status and not 200 <= int(status[0]) < 500 and status[0] not in (b"501", b"505"):
            raise Changed(f"answered {answer[:200]!r}")
        strange = {path.name for path in self._out.iterdir()} - {"study.json", "media", "ratings"}
        if strange or any(path.parent != self._out / "ratings" for path in self._out.rglob("*.jsonl")):
            raise Changed(f"{strange} lies in the study's folder")
        if body is not None and b"/api/rate" in sent and status == [b"200"]:
            self._kept(json.loads(body))
        if status and status[0].startswith(b"4"):
            raise InputError("refused")

    def _kept(self, said: Any) -> None:
        """Is what was taken in the rater's file, as it was said?"""
        last = (self._out / "ratings" / f"{said['rater']}.jsonl").read_text().splitlines()[-1]
        kept = json.loads(last)
        if {key: kept[key] for key in said["values"]} != said["values"]:
            raise Changed(f"{said} was kept as {last}")

    def _damaged_study(self, chance: random.Random, room: Path) -> Case:
        whole = json.loads((self._out / "study.json").read_text())
        (room / "study.json").write_text(dumps(tree(whole, chance)))
        (room / "ratings").mkdir()
        lines = [{"ask": "rate", "item": 0, "models": ["a"], "values": {"relevance": 4, "coherence": 5, "fluency": 3}}] * 2
        (room / "ratings" / "ann.jsonl").write_text("".join(dumps(tree(line, chance)) + "\n" for line in lines))
        return Case("damaged study", lambda: _reopen(room))


def _reopen(out: Path) -> None:
    study = load_study(out)
    tasks = study.tasks("ann")
    read_all(out, study)
    with RatingServer(study, out, port=0) as server:
        for number in range(len(tasks)):
            json.dumps(server.task("ann", number))
        json.dumps(server.progress("ann"))
