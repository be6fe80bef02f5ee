"""A hub on this machine: what `huggingface_hub` asks of one to read and to write repositories, over real HTTP.

Faults are asked for by the test: `failing` answers the next requests for contents with 503, `cut` ends the next transfer in the
middle, `spoilt` sends other bytes of the same length for a file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE = 2000  # bytes from which a file is named by SHA-256, as those in LFS are


class Double:
    """Repositories as `{(kind, name): {commit: {path: bytes}}}`, the last commit being `main`."""

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], dict[str, dict[str, bytes]]] = {}
        self.uploads: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, str]] = []  # method, path, range
        self.failing = 0
        self.cut = 0
        self.spoilt: set[str] = set()
        self.address = ""

    def commit(self, kind: str, name: str, files: dict[str, bytes]) -> str:
        """Add a commit; returns its hash."""
        history = self.repositories.setdefault((kind, name), {})
        mark = hashlib.sha1(f"{name}{len(history)}".encode()).hexdigest()
        history[mark] = files
        return mark

    def files(self, kind: str, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """The commit that a revision names."""
        history = self.repositories.get((kind, name), {})
        mark = next(reversed(history), "") if revision == "main" else revision
        return (mark, history[mark]) if mark in history else None

    def contents(self) -> list[str]:
        """Paths that contents were asked of."""
        return [path for method, path, _ in self.asked if method == "GET" and "/resolve/" in path]


def etag(data: bytes) -> str:
    if len(data) >= LARGE:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double: Double

    def log_message(self, *_: Any) -> None:
        pass

    def _say(self, status: int, value: Any = None, headers: dict[str, str] | None = None) -> None:
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, said in ({"Content-Length": str(len(body)), "Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, said)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _gone(self, what: str) -> None:
        self._say(404, {"error": "not found"}, {"X-Error-Code": what, "X-Error-Message": "not found"})

    def do_HEAD(self) -> None:
        self._read()

    def do_GET(self) -> None:
        self._read()

    def _read(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.double.asked.append((self.command, path, self.headers.get("Range", "")))
        words = path.strip("/").split("/")
        if words[0] == "api":
            kind, name = words[1].removesuffix("s"), "/".join(words[2:4])
            found = self.double.files(kind, name, words[5] if len(words) > 5 else "main")
            if found is None:
                return self._gone("RepoNotFound" if (kind, name) not in self.double.repositories else "RevisionNotFound")
            if len(words) > 4 and words[4] == "tree":
                listed = [
                    {"type": "file", "path": file, "size": len(data), "oid": etag(data)} for file, data in found[1].items()
                ]
                return self._say(200, listed if len(words) < 7 else [])
            return self._say(200, {"id": name, "sha": found[0], "siblings": [{"rfilename": file} for file in sorted(found[1])]})
        kind = "dataset" if words[0] == "datasets" else "model"
        words = words[1:] if kind == "dataset" else words
        found = self.double.files(kind, "/".join(words[:2]), words[3]) if words[2:3] == ["resolve"] else None
        if found is None:
            return self._gone("RevisionNotFound")
        data = found[1].get("/".join(words[4:]))
        return self._gone("EntryNotFound") if data is None else self._send(words[-1], found[0], data)

    def _send(self, name: str, mark: str, data: bytes) -> None:
        double, mine = self.double, etag(data)
        if self.command == "GET" and double.failing:
            double.failing -= 1
            return self._say(503)
        if name in double.spoilt:
            data = bytes(len(data))
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        rest = data[start:]
        self.send_response(206 if start else 200)
        said = {"ETag": f'"{mine}"', "X-Repo-Commit": mark, "Content-Length": str(len(rest)), "Accept-Ranges": "bytes"}
        if start:
            said["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        for key, value in said.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            if double.cut and len(rest) > LARGE:
                double.cut -= 1
                self.wfile.write(rest[: len(rest) // 2])
                self.close_connection = True
                return None
            self.wfile.write(rest)
        return None

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def do_PUT(self) -> None:
        self.double.uploads[self.path.rpartition("/")[2]] = self._body()
        self._say(200)

    def do_POST(self) -> None:
        path, body, double = unquote(urlsplit(self.path).path), self._body(), self.double
        double.asked.append(("POST", path, ""))
        words = path.strip("/").split("/")
        if path == "/api/repos/create":
            told = json.loads(body)
            name = f"{told['organization']}/{told['name']}" if told.get("organization") else told["name"]
            double.repositories.setdefault(("model", name), {})
            return self._say(200, {"url": f"{double.address}/{name}"})
        if path == "/api/validate-yaml":
            return self._say(200, {"errors": [], "warnings": []})
        if path.endswith("/info/lfs/objects/batch"):
            asked = json.loads(body)["objects"]
            actions = [{**each, "actions": {"upload": {"href": f"{double.address}/put/{each['oid']}"}}} for each in asked]
            return self._say(200, {"transfer": "basic", "objects": actions}, {"Content-Type": "application/vnd.git-lfs+json"})
        name = "/".join(words[2:4])
        if words[4] == "preupload":
            files = json.loads(body)["files"]
            modes = [{"path": file["path"], "uploadMode": "lfs" if file["size"] >= LARGE else "regular"} for file in files]
            return self._say(200, {"files": [{**mode, "shouldIgnore": False, "oid": None} for mode in modes]})
        mark = double.commit("model", name, dict(self._committed(body)))
        return self._say(200, {"success": True, "commitOid": mark, "commitUrl": f"{double.address}/{name}/commit/{mark}"})

    def _committed(self, body: bytes) -> Iterator[tuple[str, bytes]]:
        for line in body.splitlines():
            record = json.loads(line)
            told = record["value"]
            if record["key"] == "file":
                yield told["path"], base64.b64decode(told["content"])
            elif record["key"] == "lfsFile":
                yield told["path"], self.double.uploads[told["oid"]]


@contextmanager
def hub() -> Iterator[Double]:
    """A double that answers until the block ends."""
    double = Double()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"double": double}))
    double.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def of_folder(folder: Path) -> dict[str, bytes]:
    """All files of a folder, by their path in it."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
