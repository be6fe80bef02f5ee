"""`ReplyStore`: every reply ever bought, on disk before anyone sees it, found again by the hash of what was asked.

The file is JSON Lines, one reply a line, only ever appended to and synchronised after each; a line cut by a stop is
removed when the file is opened again. One process writes it at a time.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from vistune.completer import Reply, Request
from vistune.errors import InputError
from vistune.journal import Journal, read_journal


def reply_key(request: Request, identity: Mapping[str, Any]) -> str:
    """Hex SHA-256 of a request and of who is asked (endpoint, model, further arguments)."""
    who = json.dumps(identity, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{request.key()}\n{who}".encode()).hexdigest()


def read_replies(path: str | Path) -> dict[str, Reply]:
    """All stored replies by key. Raises `InputError` naming a line that is none."""
    replies = {}
    for number, line in read_journal(path):
        try:
            replies[str(line["key"])] = Reply(**line["reply"])
        except (KeyError, TypeError) as error:
            raise InputError(f"{path}: line {number} is not a stored reply ({error})") from error
    return replies


class ReplyStore:
    """An append-only file of replies. Use as a context manager, or `close` it."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_file = _locked(self.path)
        self._replies = read_replies(self.path)
        self._journal = Journal(self.path)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._replies)

    def get(self, key: str) -> Reply | None:
        """The stored reply, if any."""
        return self._replies.get(key)

    def put(self, key: str, reply: Reply) -> None:
        """Store a reply; it is on disk when this returns. Failures are not stored: they are asked again."""
        self.put_all({key: reply})

    def put_all(self, replies: Mapping[str, Reply]) -> None:
        """Store several replies with one wait for the disk; all are there when this returns."""
        if any(reply.error for reply in replies.values()):
            raise ValueError("a failed request has no reply to store")
        with self._lock:
            self._journal.append(*({"key": key, "reply": asdict(reply)} for key, reply in replies.items()))
            self._replies.update(replies)

    def close(self) -> None:
        """Close the file and let others write it."""
        self._journal.close()
        self._lock_file.close()

    def __enter__(self) -> ReplyStore:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _locked(path: Path) -> IO[str]:
    file = open(path.with_name(f".{path.name}.lock"), "w", encoding="utf-8")  # noqa: SIM115 - held as long as the store
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise InputError(f"{path} is being written by another run: wait for it, or give --cache another file") from error
    return file
