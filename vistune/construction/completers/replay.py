"""`replay`: replies of an earlier run, found by what was asked; nothing new is ever asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vistune.completer import Reply, Request
from vistune.construction.running.account import Account
from vistune.construction.running.store import endpoint_identity, local_identity, read_replies, reply_key
from vistune.errors import InputError


class Replay:
    """Answers from a file of stored replies (`replies.jsonl` of a run).

    path:     the file
    url, model, extra, api:  who was asked then, as they were given to that completer
    local, vision:           the same for a local model (`local` is its name)
    """

    def __init__(
        self,
        path: str,
        url: str = "",
        model: str = "",
        extra: Mapping[str, Any] | None = None,
        api: str = "openai",
        local: str = "",
        vision: bool = False,
    ) -> None:
        if not Path(path).is_file():
            raise InputError(f"cannot read {path}: there is no such file of replies")
        self.account = Account()
        self.identity = endpoint_identity(url, model, extra, api) if not local else local_identity(local, vision)
        self._replies = read_replies(path)

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Stored replies in order; a request that was never asked fails."""
        for request in requests:
            self.account.asked += 1
            # The key holds who was asked: replies of another model never answer silently for this one.
            reply = self._replies.get(reply_key(request, self.identity))
            if reply is None:
                self.account.failed += 1
                yield Reply("", error="not in the replay file")
            else:
                self.account.cached += 1
                yield reply
