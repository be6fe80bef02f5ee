"""Many machines: Ray Data workers ask for the replies, this process makes the data from them.

Every worker runs the pipeline on its share of the records with its own completer and sends the replies home, where they are
stored like any others. The pipeline then runs here as always and finds them, so that the output is the same as without
workers, whatever an operator remembers from one record to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vistune.build.facts import Spoken
from vistune.build.kit import Kit
from vistune.build.opening import open_completer
from vistune.build.pipeline import load
from vistune.build.runner import finished
from vistune.build.sources import Sources
from vistune.build.store import ReplyStore, read_replies
from vistune.completer import Reply
from vistune.errors import MissingExtraError


def prefetch(
    name: str,
    data: Sequence[str],
    completer: str,
    store: ReplyStore,
    count: int,
    workers: int = 2,
    block: int = 256,
    seed: int = 0,
) -> int:
    """Ask for the replies to records 0 to `count - 1` on `workers` Ray workers; returns how many replies came home.

    Raises `MissingExtraError` when Ray is not installed.
    """
    try:
        import ray.data
    except ImportError as error:
        raise MissingExtraError("ray", "ray", "--engine ray") from error
    arguments = {"name": name, "data": list(data), "completer": completer, "seed": seed}
    replies = ray.data.range(count).map_batches(
        _Worker,
        fn_constructor_kwargs=arguments,
        concurrency=workers,
        batch_size=block,
        batch_format="numpy",
        num_cpus=0,  # workers mostly wait; one that held a core for good would leave none to hand out the records
    )
    came = 0
    for row in replies.iter_rows():
        if store.get(row["key"]) is None:
            store.put(row["key"], Reply(**{field: row[field] for field in _FIELDS}))
            came += 1
    return came


_FIELDS = tuple(asdict(Reply("")))


class _Worker:
    """One Ray actor: opens the data and the completer once, then runs the pipeline on the blocks it is given."""

    def __init__(self, name: str, data: Sequence[str], completer: str, seed: int) -> None:
        self._pipeline, self._completer, self._seed = load(name), completer, seed
        spoken: Spoken = self._pipeline.spoken
        self._records = Sources(data, spoken)

    def __call__(self, block: Mapping[str, Any]) -> dict[str, list[Any]]:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "replies.jsonl"
            with ReplyStore(path) as store:
                kit = Kit(open_completer(self._completer, store), seed=self._seed)
                records = (self._records[int(index)] for index in block["id"])
                for _ in finished(self._pipeline, records, kit):
                    pass
            replies = read_replies(path)
        rows: dict[str, list[Any]] = {"key": list(replies)}
        return rows | {field: [asdict(reply)[field] for reply in replies.values()] for field in _FIELDS}
