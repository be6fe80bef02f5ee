"""Replies share a wait for the disk, and none is taken for written before it is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from vistune.completer import Reply
from vistune.construction.http.keeper import Keeper
from vistune.construction.http.limiter import Limiter
from vistune.construction.running.store import ReplyStore, read_replies

REPLIES = {f"k{number}": Reply(f"text {number}") for number in range(50)}


class Counted(ReplyStore):
    """Notes how many replies were written at a time; the first write fails when it is told so."""

    def __init__(self, path: Path, fails: bool = False) -> None:
        super().__init__(path)
        self.batches: list[int] = []
        self.fails = fails

    def put_all(self, replies: Mapping[str, Reply], who: str = "") -> None:
        self.batches.append(len(replies))
        if self.fails:
            self.fails = False
            raise OSError("no space left on device")
        super().put_all(replies, who)


async def keep_all(store: ReplyStore) -> list[object]:
    keeper = Keeper(store)
    return await asyncio.gather(*(keeper.keep(key, reply) for key, reply in REPLIES.items()), return_exceptions=True)


def test_replies_that_come_together_are_written_together(tmp_path: Path):
    with Counted(tmp_path / "replies.jsonl") as store:
        assert asyncio.run(keep_all(store)) == [None] * 50
        assert store.batches == [1, 49], "the first has the disk to itself, the others wait for it"
    assert read_replies(tmp_path / "replies.jsonl") == REPLIES


def test_a_write_that_fails_fails_whom_it_belongs_to_and_loses_no_other(tmp_path: Path):
    with Counted(tmp_path / "replies.jsonl", fails=True) as store:
        outcomes = asyncio.run(keep_all(store))
        assert [isinstance(outcome, OSError) for outcome in outcomes] == [True] + [False] * 49
        assert store.batches == [1, 50]
    assert read_replies(tmp_path / "replies.jsonl") == REPLIES


def test_places_are_given_in_order_and_a_request_given_up_takes_none():
    async def scene() -> list[int]:
        limiter, served = Limiter(2), []

        async def one(number: int) -> None:
            await limiter.acquire(0)
            served.append(number)
            await asyncio.sleep(0)
            limiter.release()

        tasks = [asyncio.create_task(one(number)) for number in range(8)]
        await asyncio.sleep(0)
        tasks[4].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert limiter.peak == 2
        return served

    assert asyncio.run(scene()) == [0, 1, 2, 3, 5, 6, 7]
