"""Ratings: one append-only file per rater; rating a task again replaces the earlier rating."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.evals.human.study import Study, Task
from vistune.journal import Journal, read_journal

SCALE = (1, 2, 3, 4, 5)
PREFERENCES = ("first", "tie", "second")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Rating:
    """What one rater said of one task: 1-5 per criterion for `rate`, `preference` for `compare`."""

    rater: str
    sample: str
    task: Task
    scores: Mapping[str, int]
    preference: str | None = None

    def to_json(self) -> dict[str, Any]:
        """One line of a rater's file."""
        record = {"sample": self.sample, "ask": self.task.ask, "models": list(self.task.models)}
        return record | (dict(self.scores) if self.task.ask == "rate" else {"preference": self.preference})


def rater_file(out: Path, rater: str) -> Path:
    """Where a rater's ratings lie. Raises `InputError` for a name that is not 1-32 of a-z, 0-9, `_` and `-`."""
    if not _NAME.fullmatch(rater):
        raise InputError(
            f"rater name {rater[:40]!r} will not do: use 1 to 32 of a-z, 0-9, _ and -, starting with a letter or digit"
        )
    return out / "ratings" / f"{rater}.jsonl"


def check(study: Study, rater: str, task: Task, values: Mapping[str, Any]) -> Rating:
    """The rating that `values` (from the page or a file) state. Raises `InputError` naming the field that is wrong."""
    sample = study.items[task.item].sample
    expected = set(study.criteria) if task.ask == "rate" else {"preference"}
    if set(values) != expected:
        raise InputError(f"sample {sample!r}: a {task.ask} task takes exactly {sorted(expected)}, not {sorted(values)}")
    if task.ask == "compare":
        if values["preference"] not in PREFERENCES:
            raise InputError(f"sample {sample!r}: preference {values['preference']!r} is none of {', '.join(PREFERENCES)}")
        return Rating(rater, sample, task, {}, values["preference"])
    for name, score in values.items():
        if type(score) is not int or score not in SCALE:
            raise InputError(f"sample {sample!r}: {name} is {score!r}, expected a whole number from 1 to 5")
    return Rating(rater, sample, task, dict(values))


def append(out: Path, rating: Rating) -> None:
    """Add one rating to its rater's file; it is on disk when this returns."""
    with Journal(rater_file(out, rating.rater)) as journal:
        journal.append(rating.to_json())


def read(out: Path, study: Study, rater: str) -> dict[Task, Rating]:
    """A rater's latest rating of every task done so far."""
    path = rater_file(out, rater)
    tasks = {(study.items[task.item].sample, task.ask, task.models): task for task in study.tasks(rater)}
    ratings = {}
    for number, record in read_journal(path):
        try:
            task = tasks[record.pop("sample"), record.pop("ask"), tuple(record.pop("models"))]
        except (KeyError, TypeError) as error:
            raise InputError(f"{path}: line {number} belongs to no task of this study ({error})") from error
        ratings[task] = check(study, rater, task, record)
    return ratings


def read_all(out: Path, study: Study) -> list[Rating]:
    """Every rater's ratings. Raises `InputError` for a file whose name is no rater's."""
    return [rating for path in sorted((out / "ratings").glob("*.jsonl")) for rating in read(out, study, path.stem).values()]
