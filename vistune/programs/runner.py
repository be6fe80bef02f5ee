"""A program over samples: one folder with its traces, predictions and media, which the same command continues.

run.json            the program, its planner and the data, which a continued run must agree with
trace.jsonl         all that was asked, said, called and seen, task after task
predictions.jsonl   one answer a task, as `vistune score` reads it
media/              what tools made
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vistune.completer import Completer
from vistune.errors import InputError
from vistune.evals.prediction import Prediction
from vistune.files import alone, read_json, write_json, write_jsonl
from vistune.journal import Journal, read_journal
from vistune.programs.hands import Hands, Live, Replay, Write
from vistune.programs.loop import Outcome
from vistune.programs.observation import Observation
from vistune.programs.program import Program, question
from vistune.programs.session import Session, file_name
from vistune.progress import track
from vistune.sample import Sample

TRACE, PREDICTIONS, SETTINGS, MEDIA = "trace.jsonl", "predictions.jsonl", "run.json", "media"


def run_program(
    program: Program,
    samples: Sequence[Sample],
    out: str | Path,
    planner: Completer | None = None,
    settings: Mapping[str, Any] | None = None,
) -> list[Outcome]:
    """Run every sample that has no answer yet. A task that fails is an outcome, and the next one runs.

    Raises `InputError` when the folder holds another run, or is being written by one.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        _claim(folder, dict(settings or {}))
        done = finished(folder / TRACE)
        outcomes = []
        with Journal(folder / TRACE) as journal:
            for sample in track(samples, "tasks", len(samples)):
                outcome = done.get(sample.id)
                if outcome is None:
                    journal.append({"task": sample.id, "event": "task", "question": question(sample)})
                    outcome = _one(
                        program, sample, folder / MEDIA / file_name(sample.id), Live(planner, _writer(journal, sample.id))
                    )
                    journal.append({"task": sample.id, **_end(outcome)})
                outcomes.append(outcome)
        # At the end and whole: tasks that are done come out of the trace, so the file is complete after any number of stops.
        write_jsonl(folder / PREDICTIONS, map(_prediction, samples, outcomes))
    return outcomes


def replay(program: Program, samples: Iterable[Sample], trace: str | Path) -> list[Outcome]:
    """The outcomes of a trace, by the program's own steps, without any model or tool.

    Raises `InputError` where the program would ask or call something else than it did, or the trace lacks a task.
    """
    events = _by_task(Path(trace))
    outcomes = []
    for sample in samples:
        if sample.id not in events:
            raise InputError(f"{trace}: holds no task {sample.id!r}")
        outcomes.append(_one(program, sample, None, Replay(events[sample.id], f"{trace}: task {sample.id!r}")))
    return outcomes


def finished(trace: Path) -> dict[str, Outcome]:
    """Outcomes of the tasks that came to an end, by sample."""
    return {
        task: Outcome(end["text"], Observation.from_json(end).regions, tuple(end["made"]), end["ended"], end["why"])
        for task, events in _by_task(trace).items()
        if (end := events[-1] if events else {}).get("event") == "end"
    }


def _writer(journal: Journal, task: str) -> Write:
    return lambda event: journal.append({"task": task, **event})


def _one(program: Program, sample: Sample, folder: Path | None, hands: Hands) -> Outcome:
    session = Session(folder)
    for medium in sample.media:
        session.add(medium)
    return program.run(sample, session, hands)


def _by_task(trace: Path) -> dict[str, list[dict[str, Any]]]:
    """Events by task, of each task those since it was last begun."""
    found: dict[str, list[dict[str, Any]]] = {}
    for number, event in read_journal(trace):
        task, kind = event.get("task"), event.get("event")
        if not isinstance(task, str) or not isinstance(kind, str):
            raise InputError(f"{trace}: line {number} is no event: it names no task or no event")
        # A task that was begun again after a stop starts its events anew; what it did before the stop does not count.
        if kind == "task":
            found[task] = []
        found.setdefault(task, []).append(event)
    return found


def _claim(folder: Path, settings: dict[str, Any]) -> None:
    path = folder / SETTINGS
    if not path.exists():
        if (folder / TRACE).exists():
            raise InputError(f"{folder} holds a trace but no {SETTINGS}: give another folder")
        write_json(path, settings)
        return
    before = read_json(path)
    differ = sorted(key for key in {*before, *settings} if before.get(key) != settings.get(key))
    if differ:
        raise InputError(f"{folder} holds another run: {', '.join(differ)} differ; give another folder or the same settings")


def _end(outcome: Outcome) -> dict[str, Any]:
    return {
        "event": "end",
        "text": outcome.text,
        "made": list(outcome.made),
        "ended": outcome.ended,
        "why": outcome.why,
        "steps": len(outcome.steps),
        **Observation(outcome.text, (), outcome.regions).to_json(),
    }


def _prediction(sample: Sample, outcome: Outcome) -> dict[str, Any]:
    made = {"media": list(outcome.made)} if outcome.made else {}
    regions = {"content": Observation("", (), outcome.regions).to_json()["content"]} if outcome.regions else {}
    failed = {"ended": outcome.ended, "why": outcome.why} if outcome.ended != "answer" else {}
    return Prediction(sample.id, outcome.text, question(sample), made | regions | failed).to_json()
