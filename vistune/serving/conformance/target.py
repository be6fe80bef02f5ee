"""The server that is asked, and what a check says of it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from vistune.draw import data_url
from vistune.errors import InputError, MissingExtraError

SECONDS = 60.0


class Broken(Exception):  # noqa: N818 - a check's verdict
    """The server breaks the protocol: the message says how."""


@dataclass(frozen=True)
class Reply:
    """A status, a body as JSON (None for any other), headers in lower case."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def choice(self) -> Mapping[str, Any]:
        """The first choice of an answer."""
        return choices(self)[0]

    @property
    def text(self) -> str:
        """Its words."""
        content = self.choice["message"]["content"]
        return content if isinstance(content, str) else ""


@dataclass(frozen=True)
class Stream:
    """The events of a streamed answer, and whether `[DONE]` closed it."""

    events: tuple[Mapping[str, Any], ...]
    done: bool
    kind: str

    @property
    def text(self) -> str:
        """What its pieces say, joined."""
        deltas = [choice["delta"] for event in self.events for choice in event.get("choices") or ()]
        return "".join(delta.get("content") or "" for delta in deltas)


@dataclass
class Target:
    """A server at `url` that serves `model`."""

    url: str
    model: str = ""
    key: str = ""
    _http: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            import httpx
        except ImportError as error:
            raise MissingExtraError("httpx", "build", "conformance") from error
        self.url = self.url.rstrip("/").removesuffix("/v1")
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        self._http = httpx.Client(timeout=SECONDS, trust_env=False, headers=headers)
        self._errors = (httpx.HTTPError, httpx.InvalidURL)
        if not self.model:
            listed = self.get("/v1/models").body
            try:
                self.model = str(listed["data"][0]["id"])
            except (TypeError, KeyError, IndexError) as error:
                raise InputError(f"{self.url} lists no model: name one with --model") from error

    def get(self, path: str, **headers: str) -> Reply:
        """GET."""
        return self._reply("GET", path, headers=headers)

    def send(self, content: bytes, **headers: str) -> Reply:
        """POST a chat completion's body as it is."""
        return self._reply(
            "POST", "/v1/chat/completions", content=content, headers={"Content-Type": "application/json", **headers}
        )

    def claim(self, size: int) -> Reply:
        """POST a body that is said to have `size` bytes, and send none of it."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=15)
        try:
            connection.putrequest("POST", "/v1/chat/completions")
            given = {"Content-Type": "application/json", "Content-Length": str(size), "Authorization": f"Bearer {self.key}"}
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders()
            reply = connection.getresponse()
            body = json.loads(reply.read(1 << 16) or b"null")
            return Reply(reply.status, body, {name.lower(): value for name, value in reply.getheaders()})
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Broken(f"no reply ({type(error).__name__})") from error
        finally:
            connection.close()

    def ask(self, messages: Any = None, **fields: Any) -> Reply:
        """A chat completion."""
        return self.send(json.dumps(self._body(messages, fields)).encode())

    def stream(self, messages: Any = None, **fields: Any) -> Stream:
        """A streamed one."""
        body, events, done = self._body(messages, {"stream": True, **fields}), [], False
        try:
            with self._http.stream("POST", f"{self.url}/v1/chat/completions", json=body) as reply:
                if reply.status_code != 200:
                    raise Broken(f"status {reply.status_code}")
                for line in reply.iter_lines():
                    done = done or line == "data: [DONE]"
                    if line.startswith("data: {"):
                        events.append(json.loads(line[6:]))
                return Stream(tuple(events), done, reply.headers.get("content-type", ""))
        except self._errors as error:
            raise Broken(f"no reply ({type(error).__name__})") from error

    def hang_up(self) -> None:
        """Begin a long streamed answer and leave."""
        body = self._body(None, {"stream": True, "max_tokens": 400})
        try:
            with self._http.stream("POST", f"{self.url}/v1/chat/completions", json=body) as reply:
                next(reply.iter_lines(), None)
        except self._errors as error:
            raise Broken(f"no reply ({type(error).__name__})") from error

    def _body(self, messages: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
        asked = words("What is this?") if messages is None else messages
        return {"model": self.model, "messages": asked, "max_tokens": 12, "temperature": 0, **fields}

    def _reply(self, method: str, path: str, **more: Any) -> Reply:
        try:
            reply = self._http.request(method, self.url + path, **more)
        except self._errors as error:
            raise Broken(f"no reply ({type(error).__name__})") from error
        try:
            body = reply.json()
        except ValueError:
            body = None
        return Reply(reply.status_code, body, {name.lower(): value for name, value in reply.headers.items()})


def words(text: str) -> list[dict[str, Any]]:
    """A question in words."""
    return [{"role": "user", "content": text}]


def about(url: str, *more: str, text: str = "What is this?") -> list[dict[str, Any]]:
    """A question about pictures behind addresses."""
    shown = [{"type": "image_url", "image_url": {"url": each}} for each in (url, *more)]
    return [{"role": "user", "content": [*shown, {"type": "text", "text": text}]}]


def picture(color: str = "red", size: tuple[int, int] = (48, 40)) -> str:
    """A picture as a data URL."""
    from PIL import Image

    return data_url(Image.new("RGB", size, color))


def choices(reply: Reply) -> list[Mapping[str, Any]]:
    """All choices of an answer. Raises `Broken` for anything that is none."""
    if reply.status != 200:
        raise Broken(f"status {reply.status}: {str(reply.body)[:160]}")
    found = reply.body.get("choices") if isinstance(reply.body, dict) else None
    if not found:
        raise Broken("an answer without choices")
    return list(found)


def must(right: bool, said: str) -> None:
    """Raise `Broken` unless something holds."""
    if not right:
        raise Broken(said)


def refused(reply: Reply, *statuses: int) -> None:
    """The reply is one of `statuses`, with OpenAI's shape of an error."""
    must(reply.status in statuses, f"status {reply.status}, expected {' or '.join(map(str, statuses))}")
    error = reply.body.get("error") if isinstance(reply.body, dict) else None
    must(
        isinstance(error, dict) and isinstance(error.get("message"), str) and bool(error["message"]), "no error with a message"
    )
