"""Many machines: Ray Data workers ask for the replies, this process makes the data from them.

Every worker runs the pipeline on its share of the records with its own completer and sends the replies home, where they are
stored like any others. The pipeline then runs here as always and finds them, so that the output is the same as without
workers, whatever an operator remembers from one record to the next.
"""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, urlencode

from vistune.completer import Reply
from vistune.construction.completers.endpoint import Endpoint
from vistune.construction.facts import Facts, Spoken
from vistune.construction.kit import Kit
from vistune.construction.opening import open_completer
from vistune.construction.pipeline import load
from vistune.construction.running.runner import finished
from vistune.construction.running.store import ReplyStore, reply_fields
from vistune.construction.sources import Sources
from vistune.errors import InputError, MissingExtraError
from vistune.sample import Media
from vistune.trust import trusting, vouched


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

    Workers read the store's file, so that they ask for nothing it holds: other machines need the folder shared, like the data.
    Raises `InputError` for a pipeline that needs a viewer or painter, for a budget, and, once all replies are stored,
    when a worker had to stop; `MissingExtraError` when Ray is not installed.
    """
    _check_parts(name)
    shared = _shared(completer, workers)
    try:
        import ray.data
    except ImportError as error:
        raise MissingExtraError("ray", "ray", "--engine ray") from error
    arguments = {"name": name, "data": list(data), "completer": shared, "seed": seed, "known": str(store.path.absolute())}
    arguments["trust"] = vouched()
    replies = ray.data.range(count).map_batches(
        _Worker,
        fn_constructor_kwargs=arguments,
        concurrency=workers,
        batch_size=block,
        batch_format="numpy",
        num_cpus=0,  # workers mostly wait; one that held a core for good would leave none to hand out the records
    )
    came, stopped = 0, ""
    for row in replies.iter_rows():
        stopped = stopped or row["stopped"]
        # Two workers may have bought the same request; the first reply counts, as in one process.
        if not row["stopped"] and store.get(row["key"]) is None:
            store.put(row["key"], Reply(**{field: row[field] for field in _FIELDS}), row["who"])
            came += 1
    if stopped:
        raise InputError(stopped)
    return came


_FIELDS = tuple(reply_fields(Reply("")))
_BUDGET = ("max_total_tokens", "max_usd")
_LABELER = "labeler "
_QUOTA = ("requests_per_minute", "tokens_per_minute")


def _check_parts(name: str) -> None:
    parts = [part for part in load(name).parts if not part.startswith(_LABELER)]
    if parts:
        raise InputError(f"{name} needs a {' and a '.join(parts)}, which Ray workers do not have: use --engine local")


def _shared(completer: str, workers: int) -> str:
    """The completer for one of several workers, which gets its part of a quota. A budget is refused: none of them knows what
    the others spent, nor would this process, which asks for what they missed."""
    head, mark, query = completer.partition("?")
    options = parse_qsl(query, keep_blank_values=True)
    bounds = [key for key, _ in options if key in _BUDGET]
    if bounds:
        raise InputError(f"Ray workers cannot keep a common budget ({', '.join(bounds)}): use --engine local")
    if not any(key in _QUOTA for key, _ in options):
        return completer
    return f"{head}{mark}{urlencode([(key, _part(value, workers) if key in _QUOTA else value) for key, value in options])}"


def _part(quota: str, workers: int) -> str:
    try:
        return repr(float(quota) / workers)
    except ValueError:
        return quota  # who opens the completer says what is wrong with it


class _Bought(ReplyStore):
    """A store that notes what is put into it, until that is taken home."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._new: list[tuple[str, str, Reply]] = []

    def put_all(self, replies: Mapping[str, Reply], who: str = "") -> None:
        """Store and note them."""
        super().put_all(replies, who)
        self._new += [(key, who, reply) for key, reply in replies.items()]

    def taken(self) -> list[tuple[str, str, Reply]]:
        """What was put since it was last taken: key, who replied, reply."""
        new, self._new = self._new, []
        return new


@dataclass(frozen=True, slots=True)
class _NoLabeler:
    """Stands for a labeler, which workers lack: data in which its facts are known do without."""

    kind: str

    def label(self, medium: Media) -> Facts:
        """Raises `InputError`."""
        raise InputError(f"no {self.kind} is known of {medium.name}, and Ray workers have no labeler: use --engine local")


class _Worker:
    """One Ray actor: opens the data, a copy of the known replies and the completer once, then runs the pipeline on the blocks
    it is given. All is closed by `close`, or when the actor ends."""

    def __init__(
        self, name: str, data: Sequence[str], completer: str, seed: int, known: str, trust: Sequence[str] = ()
    ) -> None:
        self._pipeline = load(name)
        spoken: Spoken = self._pipeline.spoken
        with trusting(trust):
            self._records = Sources(data, spoken)
        with ExitStack() as files:
            path = Path(files.enter_context(TemporaryDirectory())) / "replies.jsonl"
            if Path(known).exists():
                # A copy, since only one process may write a store, and workers buy replies of their own.
                shutil.copyfile(known, path)
            self._store = _Bought(path)
            files.callback(self._store.close)
            writer = open_completer(completer, self._store)
            if isinstance(writer, Endpoint):
                files.enter_context(closing(writer))
            kinds = [part.removeprefix(_LABELER) for part in self._pipeline.parts if part.startswith(_LABELER)]
            self._kit = Kit(writer, labelers={kind: _NoLabeler(kind) for kind in kinds}, seed=seed)
            # Ray ends actors without calling anything; the finaliser runs when the object or the interpreter goes.
            self.close = weakref.finalize(self, files.pop_all().close)

    def __call__(self, block: Mapping[str, Any]) -> dict[str, list[Any]]:
        """The replies bought for a block's records; a worker that must stop says why in a last row, after what it bought."""
        stopped = []
        try:
            for _ in finished(self._pipeline, (self._records[int(index)] for index in block["id"]), self._kit):
                pass
        except InputError as error:
            # Told as a row, not raised: an exception would lose the replies of this block, which were paid for.
            stopped = [str(error)]
        bought = self._store.taken() + [("", "", Reply("")) for _ in stopped]
        keys, who, replies = (list(column) for column in zip(*bought, strict=True)) if bought else ([], [], [])
        rows: dict[str, list[Any]] = {"key": keys, "who": who, "stopped": [""] * (len(keys) - len(stopped)) + stopped}
        return rows | {field: [asdict(reply)[field] for reply in replies] for field in _FIELDS}
