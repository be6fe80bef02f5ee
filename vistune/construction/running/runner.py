"""Running a pipeline over data into a folder, so that it can be stopped at any moment and continued.

    samples.jsonl   finished samples, one a line (`vistune.read("samples:DIR/samples.jsonl")`)
    trace.jsonl     how each of them was made: facts, requests, raw replies
    rejects.jsonl   the same for every record that failed, with the reason
    replies.jsonl   every reply bought, appended and synchronised as it arrives: what a continued run reads instead of asking
    run.json        pipeline, data, versions, statistics, cost
    review.html     a contact sheet for a person's decisions

The first three and run.json appear whole at the end of a run. A run that was stopped is continued by the same command: it
goes through the data again, finds the replies it has, and asks only for the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from vistune import __version__
from vistune.construction.boxes import Notation
from vistune.construction.context import words
from vistune.construction.kit import Kit
from vistune.construction.media_files import filed
from vistune.construction.pipeline import Pipeline
from vistune.construction.record import Record, sample_of
from vistune.construction.running.account import Accounted
from vistune.construction.running.review import write_page
from vistune.construction.running.statistics import Statistics
from vistune.errors import InputError
from vistune.files import alone, atomic_open, read_json, sha256, sweep, write_json
from vistune.progress import track
from vistune.sample import Part, Region, Text

_WRITTEN = ("samples.jsonl", "trace.jsonl", "rejects.jsonl", "run.json", "review.html")


def run(name: str, pipeline: Pipeline, records: Iterable[Record], kit: Kit, out: Path, about: dict[str, Any]) -> Statistics:
    """Run a pipeline and write the folder; `about` (data, completers, ...) is noted in run.json.

    Raises `InputError` when the folder holds another pipeline's run.
    """
    _check_folder(out, name)
    for file in _WRITTEN:
        sweep(out / file)
    statistics = Statistics()
    with alone(out), ExitStack() as files:
        made, trace, rejects = (
            files.enter_context(atomic_open(out / f"{part}.jsonl")) for part in ("samples", "trace", "rejects")
        )
        for record in track(finished(pipeline, records, kit), f"build {name}"):
            statistics.count(record)
            # Media in memory become files here, once the record is finished: rejected ones are shown on the review page as
            # well.
            record = replace(record, media=filed(record.media, out))
            _line(rejects if record.reject else trace, trace_of(record))
            if not record.reject:
                _line(made, sample_of(record).to_json())
    write_json(out / "run.json", _report(name, pipeline, kit, out, about, statistics))
    write_page(out)
    return statistics


def finished(pipeline: Pipeline, records: Iterable[Record], kit: Kit) -> Iterator[Record]:
    """What a pipeline makes of records; one without a question and an answer, or with a repeated id, is rejected."""
    seen: set[str] = set()
    for record in pipeline.run(records, kit):
        roles = {turn.role for turn in record.turns}
        if record.reject:
            yield record
        elif not {"user", "assistant"} <= roles:
            yield record.rejected("no conversation")
        # Samples are referred to by id, and the second of two would overwrite the first in every table of answers.
        elif record.id in seen:
            yield record.rejected("repeated id")
        else:
            seen.add(record.id)
            yield record


def trace_of(record: Record) -> dict[str, Any]:
    """How a record came about, as plain JSON."""
    exchanges = [
        {
            "step": exchange.step,
            "asked": exchange.request.messages[-1].text,
            "reply": exchange.reply.text,
            "finish": exchange.reply.finish,
            "model": exchange.reply.model,
        }
        for exchange in record.exchanges
    ]
    return {
        "id": record.id,
        "task": record.task,
        "reason": record.reason,
        "detail": record.reject,
        "facts": words(record.facts),
        "media": [[medium.kind, medium.path] for medium in record.media],
        "boxes": [[region.media, list(region.bounds()), region.label or ""] for region in _regions(record)],
        "exchanges": exchanges,
        "turns": [[turn.role, "".join(_shown(part) for part in turn.parts)] for turn in record.turns],
    }


def _shown(part: Part) -> str:
    if isinstance(part, Text):
        return part.text
    if isinstance(part, Region):
        return Notation().write(part.bounds())
    return f"<medium {part.index + 1}>"


def _regions(record: Record) -> list[Region]:
    """What is known to be where, and what the conversation points at."""
    spoken = [part for turn in record.turns for part in turn.parts if isinstance(part, Region)]
    return [*record.facts.objects, *record.facts.regions, *record.facts.ocr, *spoken]


def _line(file: Any, value: Any) -> None:
    file.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")


def _check_folder(out: Path, name: str) -> None:
    report = out / "run.json"
    if not report.exists():
        return
    earlier = read_json(report).get("pipeline")
    if earlier != name:
        raise InputError(f"{out} holds a run of {earlier}: choose another folder for {name}")


def _report(
    name: str, pipeline: Pipeline, kit: Kit, out: Path, about: dict[str, Any], statistics: Statistics
) -> dict[str, Any]:
    completers: dict[str, object] = {"writer": kit.writer, "viewer": kit.viewer}
    accounts = {role: asked.account.to_json() for role, asked in completers.items() if isinstance(asked, Accounted)}
    return {
        "pipeline": name,
        "method": pipeline.method,
        **about,
        "seed": kit.seed,
        "version": __version__,
        "statistics": statistics.to_json(),
        "asked": accounts,
        "sha256": {"samples.jsonl": sha256(out / "samples.jsonl")},
    }
