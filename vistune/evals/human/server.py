"""The rating page's server: standard library only, one page, three answers, nothing from outside the study's folder.

GET  /                        the page; /page.js and /page.css beside it
GET  /api/progress?rater=ann  how many tasks there are and which are done
GET  /api/task?rater=ann&n=5  task number 5 of this rater's order, without model names, and the earlier rating if any
POST /api/rate                {"rater": "ann", "n": 5, "values": {...}}
GET  /media/NAME              a medium of the study
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from vistune.errors import InputError
from vistune.evals.human import ratings
from vistune.evals.human.media import CONTENT_TYPES
from vistune.evals.human.ratings import Rating
from vistune.evals.human.study import Study, Task
from vistune.trust import LOOPBACK, is_loopback

MAX_BODY = 64 * 1024  # a rating is a few hundred bytes
_PAGES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class RatingServer(ThreadingHTTPServer):
    """Serves one study. `port` 0 takes a free one (`url` says which); stop it with `shutdown`."""

    daemon_threads = True

    def __init__(self, study: Study, out: Path, host: str = "127.0.0.1", port: int = 8000) -> None:
        self.study, self.out = study, out
        self.host = host
        self._lock = threading.Lock()
        self._raters: dict[str, tuple[list[Task], dict[Task, Rating]]] = {}
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise InputError(f"cannot listen on {host}:{port}: {error.strerror or error}; choose another --port") from error

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{self.host}:{self.server_port}/"

    @cached_property
    def media(self) -> frozenset[str]:
        """The file names that may be asked for."""
        return frozenset(medium["file"] for item in self.study.items for medium in item.media)

    def progress(self, rater: str) -> dict[str, Any]:
        """For a rater: the number of tasks, the tasks done so far, and the criteria to rate by."""
        with self._lock:
            tasks, done = self._rater(rater)
            return {"total": len(tasks), "done": [task in done for task in tasks], "criteria": dict(self.study.criteria)}

    def task(self, rater: str, number: int) -> dict[str, Any]:
        """A task as the page shows it: no model names, no sample id, only the answers to judge."""
        with self._lock:
            tasks, done = self._rater(rater)
            task = _numbered(tasks, number)
            rating = done.get(task)
        item = self.study.items[task.item]
        return {
            "ask": task.ask,
            "prompt": item.prompt,
            "media": [dict(medium) for medium in item.media],
            "regions": [dict(region) for region in item.regions],
            "answers": [item.answers[model] for model in task.models],
            "given": None if rating is None else {**rating.scores, "preference": rating.preference},
        }

    def rate(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Keep one rating. Raises `InputError` for a wrong field."""
        rater, number, values = body.get("rater"), body.get("n"), body.get("values")
        if not isinstance(rater, str) or type(number) is not int or not isinstance(values, dict) or len(body) != 3:
            raise InputError("a rating is {rater: text, n: whole number, values: object}")
        with self._lock:
            tasks, done = self._rater(rater)
            rating = ratings.check(self.study, rater, _numbered(tasks, number), values)
            ratings.append(self.out, rating)
            done[rating.task] = rating
            return {"done": len(done), "total": len(tasks)}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that closed its tab in the middle of an answer is no error; anything else keeps its traceback."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def _rater(self, rater: str) -> tuple[list[Task], dict[Task, Rating]]:
        ratings.rater_file(self.out, rater)  # refuses a bad name before it becomes a key
        if rater not in self._raters:
            self._raters[rater] = (self.study.tasks(rater), ratings.read(self.out, self.study, rater))
        return self._raters[rater]


def _numbered(tasks: list[Task], number: int) -> Task:
    if not 0 <= number < len(tasks):
        raise InputError(f"there is no task {number}: they are numbered 0 to {len(tasks) - 1}")
    return tasks[number]


class _Handler(BaseHTTPRequestHandler):
    server: RatingServer
    server_version = "vistune"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        if not self._expected_host():
            return
        url = urlsplit(self.path)
        if url.path in _PAGES:
            name, content_type = _PAGES[url.path]
            self._send(HTTPStatus.OK, (resources.files(__package__) / "page" / name).read_bytes(), content_type)
        elif url.path.startswith("/media/"):
            self._send_media(url.path.removeprefix("/media/"))
        elif url.path in ("/api/progress", "/api/task"):
            self._answer(lambda: self._query(url.path, parse_qs(url.query)))
        else:
            self._send_json(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})

    def do_POST(self) -> None:
        if not self._expected_host():
            return
        length = self.headers.get("Content-Length", "")
        if self.path != "/api/rate":
            self._send_json(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})
        elif self.headers.get_content_type() != "application/json":  # a foreign page's form cannot send this type
            self._send_json(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"error": "send application/json"})
        elif not length.isdecimal() or int(length) > MAX_BODY:
            self._send_json(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": f"send at most {MAX_BODY} bytes"})
        else:
            body = self.rfile.read(int(length))
            self._answer(lambda: self.server.rate(_json_object(body)))

    def _query(self, path: str, query: Mapping[str, list[str]]) -> dict[str, Any]:
        rater = query.get("rater", [""])[0]
        if path == "/api/progress":
            return self.server.progress(rater)
        number = query.get("n", [""])[0]
        if not number.isdecimal() or len(number) > 9:
            raise InputError(f"task number {number[:20]!r} is not a whole number")
        return self.server.task(rater, int(number))

    def _answer(self, what: Any) -> None:
        try:
            self._send_json(HTTPStatus.OK, what())
        except InputError as error:
            self._send_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    def _send_media(self, name: str) -> None:
        if name not in self.server.media:
            self._send_json(HTTPStatus.NOT_FOUND, {"error": "this study has no such medium"})
            return
        path = self.server.out / "media" / name
        self._send(HTTPStatus.OK, path.read_bytes(), CONTENT_TYPES[path.suffix])

    def _expected_host(self) -> bool:
        """Refuse other names that resolve to this machine (DNS rebinding): only a server bound wider is meant for them."""
        if self.server.host in LOOPBACK and not is_loopback(self.headers.get("Host", "")):
            self._send_json(HTTPStatus.FORBIDDEN, {"error": "open the page under the address it is served at"})
            return False
        return True

    def _send_json(self, status: HTTPStatus, value: Mapping[str, Any]) -> None:
        self._send(status, json.dumps(value, ensure_ascii=False).encode(), "application/json; charset=utf-8")

    def _send(self, status: HTTPStatus, content: bytes, content_type: str) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": content_type, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Stay silent: raters' names are in the query strings."""


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the body is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise InputError("the body is not a JSON object")
    return value
