"""`Keeper`: replies go to the disk together when they come together."""

from __future__ import annotations

import asyncio

from vistune.completer import Reply
from vistune.construction.running.store import ReplyStore


class Keeper:
    """Stores replies of one completer (`who`); those that come while the disk is waited for share the next wait."""

    def __init__(self, store: ReplyStore, who: str = "") -> None:
        self._store, self._who = store, who
        self._waiting: dict[str, Reply] = {}
        self._disk = asyncio.Lock()

    async def keep(self, key: str, reply: Reply) -> None:
        """Store a reply; it is on disk when this returns."""
        self._waiting[key] = reply
        async with self._disk:
            if key not in self._waiting:
                return  # whoever had the disk before took this one along
            batch, self._waiting = self._waiting, {}
            try:
                await asyncio.to_thread(self._store.put_all, batch, self._who)
            except BaseException:
                self._waiting = batch | self._waiting  # nobody may take an unwritten reply for written
                raise
