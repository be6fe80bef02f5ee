"""What a command line chose, opened and run: the one function behind `vistune build run`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from vistune.completer import Completer
from vistune.construction.completers.scripted import Scripted
from vistune.construction.facts import check_kind
from vistune.construction.kit import Kit, Labeler
from vistune.construction.opening import check_completer, completer_kind, open_completer, open_part
from vistune.construction.pipeline import load
from vistune.construction.record import Record
from vistune.construction.running.account import Accounted
from vistune.construction.running.ray_engine import prefetch
from vistune.construction.running.rehearsal import Rehearsal, printed, rehearse
from vistune.construction.running.review import read_decisions
from vistune.construction.running.runner import run
from vistune.construction.running.statistics import Statistics
from vistune.construction.running.store import ReplyStore
from vistune.construction.sources import Sources
from vistune.errors import InputError
from vistune.files import read_json

_KNOWN, _COLLECTION = "vistune.construction.offline.facts:Known", "vistune.construction.offline.collection:Collection"
_LABELED = ("objects", "ocr", "layout")
"""What a run without models asks labelers for; the world's facts answer, or there is nothing to find."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The options of `vistune build run`, as they were typed."""

    pipeline: str
    data: tuple[str, ...]
    completer: str = "offline"
    viewer: str | None = None
    labels: tuple[str, ...] = ()
    painter: str | None = None
    scorer: str | None = None
    decisions: Path | None = None
    cache: Path | None = None
    limit: int | None = None
    seed: int = 0
    engine: str = "local"
    workers: int = 2


def perform(choices: Choices, out: Path) -> dict[str, Any]:
    """Run a pipeline into a folder; returns what run.json holds. Raises `InputError` after a run in which all that was asked
    failed and no sample was made."""
    if choices.engine not in ("local", "ray"):
        raise InputError(f"engine {choices.engine!r} is unknown: use local or ray")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file: expected a folder, or one to be made")
    pipeline = load(choices.pipeline)
    records = Sources(choices.data, pipeline.spoken)
    with ExitStack() as files:
        store = files.enter_context(ReplyStore(choices.cache or out / "replies.jsonl"))
        if choices.engine == "ray":
            count = min(len(records), choices.limit or len(records))
            prefetch(choices.pipeline, choices.data, choices.completer, store, count, choices.workers, seed=choices.seed)
        writer = open_completer(choices.completer, store)
        choices = _without_models(choices)
        viewer = open_completer(choices.viewer, store) if choices.viewer else None
        kit = _kit(choices, writer, viewer)
        about = {
            "data": list(choices.data),
            "limit": choices.limit,
            "completer": choices.completer,
            "viewer": choices.viewer,
            "painter": choices.painter,
            "labels": list(choices.labels),
        }
        statistics = run(choices.pipeline, pipeline, _limited(records, choices.limit), kit, out, about)
    _check_answered([writer, viewer], statistics, out)
    report: dict[str, Any] = read_json(out / "run.json")
    return report


def _without_models(choices: Choices) -> Choices:
    """Where rules write, rules also see, find and label, unless another was named; each stands in run.json."""
    if completer_kind(choices.completer) != "offline":
        return choices
    named = {label.partition("=")[0] for label in choices.labels}
    labels = tuple(f"{kind}={_KNOWN}" for kind in _LABELED if kind not in named)
    return replace(
        choices,
        viewer=choices.viewer or choices.completer,
        painter=choices.painter or _COLLECTION,
        labels=choices.labels + labels,
    )


def _check_answered(completers: Sequence[object], statistics: Statistics, out: Path) -> None:
    accounts = [completer.account for completer in completers if isinstance(completer, Accounted)]
    asked, failed = (sum(account.asked for account in accounts), sum(account.failed for account in accounts))
    # Exit code 0 with an empty file would look like data.
    if asked and failed == asked and not statistics.samples:
        raise InputError(
            f"no sample was made: all {asked} requests failed, most often with {statistics.commonest()!r}; every reject is in "
            f"{out / 'rejects.jsonl'}, and the same command asks again"
        )


def rehearsed(choices: Choices, price_in: float, price_out: float) -> str:
    """Three complete requests, and what the run would cost, as text; nobody is asked and nothing is written."""
    choices = _without_models(choices)
    for spec in filter(None, (choices.completer, choices.viewer)):
        check_completer(spec)
    pipeline = load(choices.pipeline)
    records = Sources(choices.data, pipeline.spoken)
    nobody = Scripted(answer=lambda request: "")
    kit = _kit(choices, nobody, nobody)
    found = rehearse(pipeline, _limited(records, choices.limit), kit)
    worst = found if found.depends else rehearse(pipeline, _limited(records, choices.limit), kit, fails=True)
    requests = "\n\n".join(f"=== request {number}\n{printed(request)}" for number, request in enumerate(found.shown, 1))
    return f"{requests}\n\n{_cost(found, worst, price_in, price_out)}"


def _cost(found: Rehearsal, worst: Rehearsal, price_in: float, price_out: float) -> str:
    """`worst` is the run in which every reply is unusable, so that every round is asked, or `found` where replies decide
    what is asked next."""
    steps = ", ".join(f"{count} {name}" for name, count in found.requests.items()) or "none"
    usd = (found.prompt_tokens * price_in + found.completion_tokens * price_out) / 1e6
    prompts, completions = max(found.prompt_tokens, worst.prompt_tokens), max(found.most, worst.most)
    most = (prompts * price_in + completions * price_out) / 1e6
    money = f"; about {usd:.2f} USD, at most {most:.2f}" if price_in or price_out else ""
    covers = (
        "at most: for these requests alone; replies lead to further ones, and longer replies to more of them"
        if found.depends
        else f"at most: every reply at its full length, in every round ({sum(worst.requests.values())} requests)"
    )
    return (
        f"requests: {steps}\nabout {found.prompt_tokens} prompt and {found.completion_tokens} completion tokens "
        f"(at most {completions}){money}\n{covers}; tokens are estimated, and tries after a failure come on top"
    )


def _limited(records: Sources, limit: int | None) -> Iterator[Record]:
    return islice(iter(records), limit)


def _kit(choices: Choices, writer: Completer, viewer: Completer | None) -> Kit:
    labelers: dict[str, Labeler] = {}
    for entry in choices.labels:
        kind, mark, spec = entry.partition("=")
        if not mark:
            raise InputError(f"--label {entry!r}: expected KIND=package.module:Class, for example ocr=mine.ocr:Reader")
        labelers[check_kind(kind)] = open_part(spec, "label")
    return Kit(
        writer,
        viewer,
        labelers,
        open_part(choices.painter, "paint") if choices.painter else None,
        open_part(choices.scorer, "score") if choices.scorer else None,
        read_decisions(choices.decisions) if choices.decisions else {},
        choices.seed,
    )
