"""`ReplyStore`: every reply ever bought, on disk before anyone sees it, found again by the hash of what was asked.

The file is JSON Lines, one reply a line, only ever appended to and synchronised after each; a line cut by a stop is
removed when the file is opened again. One process writes it at a time.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from vistune.completer import FunctionCall, Reply, Request
from vistune.errors import InputError
from vistune.journal import Journal, read_journal


def reply_key(request: Request, identity: Mapping[str, Any]) -> str:
    """Hex SHA-256 of a request and of who is asked (endpoint, model, further arguments)."""
    who = json.dumps(identity, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{request.key()}\n{who}".encode()).hexdigest()


def endpoint_identity(url: str, model: str, extra: Mapping[str, Any] | None, api: str) -> dict[str, Any]:
    """Who an endpoint is, for `reply_key`."""
    identity: dict[str, Any] = {"url": url.rstrip("/"), "model": model, "extra": dict(extra or {})}
    # OpenAI's format came first and is left out, so that replies bought before there were others keep their keys.
    return identity if api == "openai" else identity | {"api": api}


def local_identity(model: str, vision: bool) -> dict[str, Any]:
    """Who a local model is, for `reply_key`."""
    return {"local": model, "vision": vision}


def read_replies(path: str | Path) -> dict[str, Reply]:
    """All stored replies by key. Raises `InputError` naming a line that is none."""
    return {key: reply for key, _, reply in _stored(path)}


def reply_from(fields: Any) -> Reply:
    """A reply from JSON. Raises `TypeError` for what has not the fields of one, of their types."""
    if not isinstance(fields, dict):
        raise TypeError("a reply is an object")
    calls = tuple(FunctionCall(**call) for call in fields.get("calls", ()))
    reply = Reply(**{**fields, "calls": calls})
    if not all(isinstance(text, str) for text in (reply.text, reply.model, reply.finish, reply.error)):
        raise TypeError("text, model, finish and error are texts")
    if not all(isinstance(text, str) for call in calls for text in (call.name, call.arguments, call.id)):
        raise TypeError("a call's name, arguments and id are texts")
    if not all(isinstance(count, int) and count >= 0 for count in (reply.prompt_tokens, reply.completion_tokens)):
        raise TypeError("prompt_tokens and completion_tokens are whole numbers from 0")
    return reply


def reply_fields(reply: Reply) -> dict[str, Any]:
    """A reply as JSON; a key that most have not is left out where it is empty. `reply_from` is the inverse."""
    fields = asdict(reply)
    return fields if reply.calls else {key: value for key, value in fields.items() if key != "calls"}


def _stored(path: str | Path) -> Iterator[tuple[str, str, Reply]]:
    """(key, who was asked, reply) of every line."""
    for number, line in read_journal(path):
        try:
            yield str(line["key"]), str(line.get("who", "")), reply_from(line["reply"])
        except (KeyError, TypeError) as error:
            raise InputError(f"{path}: line {number} is not a stored reply ({error})") from error


class ReplyStore:
    """An append-only file of replies. Use as a context manager, or `close` it.

    Raises `InputError` for a path that cannot be written, and for one that another process writes.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise InputError(f"{self.path} is a folder: expected a file of replies, or one to be made")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock_file = _locked(self.path)
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror or error}") from error
        self._replies: dict[str, Reply] = {}
        self._spent: Counter[tuple[str, str]] = Counter()
        for key, who, reply in _stored(self.path):
            self._note(key, reply, who)
        self._journal = Journal(self.path)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._replies)

    def get(self, key: str) -> Reply | None:
        """The stored reply, if any."""
        return self._replies.get(key)

    def spent(self, who: str) -> tuple[int, int]:
        """Prompt and completion tokens of all replies that this completer gave, or of whom it is not known who gave them."""
        # Replies of before do not say who gave them; they count for everybody, which can only make a budget stricter.
        prompt, completion = (sum(self._spent[name, kind] for name in {who, ""}) for kind in ("prompt", "completion"))
        return prompt, completion

    def put(self, key: str, reply: Reply, who: str = "") -> None:
        """Store a reply; it is on disk when this returns. Failures are not stored: they are asked again."""
        self.put_all({key: reply}, who)

    def put_all(self, replies: Mapping[str, Reply], who: str = "") -> None:
        """Store several replies with one wait for the disk; all are there when this returns."""
        if any(reply.error for reply in replies.values()):
            raise ValueError("a failed request has no reply to store")
        with self._lock:
            named = {"who": who} if who else {}
            self._journal.append(*({"key": key, **named, "reply": reply_fields(reply)} for key, reply in replies.items()))
            for key, reply in replies.items():
                self._note(key, reply, who)

    def _note(self, key: str, reply: Reply, who: str) -> None:
        self._replies[key] = reply
        self._spent[who, "prompt"] += reply.prompt_tokens
        self._spent[who, "completion"] += reply.completion_tokens

    def close(self) -> None:
        """Close the file and let others write it."""
        self._journal.close()
        self._lock_file.close()

    def __enter__(self) -> ReplyStore:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _locked(path: Path) -> IO[str]:
    # A file of its own: the journal locks itself only once it is open, and the replies are read before that.
    file = open(path.with_name(f".{path.name}.lock"), "w", encoding="utf-8")  # noqa: SIM115 - held as long as the store
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise InputError(f"{path} is being written by another run: wait for it, or give --cache another file") from error
    return file
