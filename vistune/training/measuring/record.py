"""The measurements of a stage: the steps at which they are due, their results, the best result, and the end of a run.

    logs/STAGE.eval.jsonl     a line a measurement: {"step", "name", "n", "values", "low"}
    logs/STAGE.answers.jsonl  the answers of those samples that the gallery shows
    logs/STAGE.gallery.html   them as a page                       STAGE-best/   the best checkpoint, with `keep: best`

A line holds nothing that differs from run to run, so that a run that was killed and resumed leaves the same file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vistune.files import atomic_open
from vistune.model.answering.opening import Model
from vistune.recipe import Stage
from vistune.training.distributed import Ranks
from vistune.training.measuring.evaluation import Measured, Measurement
from vistune.training.measuring.gallery import write_gallery
from vistune.training.measuring.settings import LOSS, evaluations_of
from vistune.training.steps.precision import Precision
from vistune.training.tracking import Track, untracked


class Measurements:
    """All that a stage measures: a line for a person to `tell`, its numbers to `track`; `keep` writes the model as the best."""

    def __init__(
        self,
        stage: Stage,
        log: Path,
        first: int,
        steps: int,
        precision: Precision,
        ranks: Ranks,
        keep: Callable[[], None] = lambda: None,
        tell: Callable[[str], None] = lambda text: None,
        track: Track = untracked,
    ) -> None:
        self.stage, self.steps, self.precision, self.ranks = stage, steps, precision, ranks
        self._keep, self.tell, self._track = keep, tell, track
        with ranks.together():
            self.all = [Measurement(told, stage) for told in evaluations_of(stage)]
        self._log, self._answers, self.page = (
            log.with_name(f"{log.stem}.{end}") for end in ("eval.jsonl", "answers.jsonl", "gallery.html")
        )
        self.lines: list[dict[str, Any]] = ranks.decide(lambda: _kept(self._log, first))
        if self.all and ranks.first:
            _rewrite(self._log, self.lines)
            _rewrite(self._answers, _kept(self._answers, first))

    def behind(self, model: Model, step: int) -> bool:
        """Measure what is due behind this step and was not measured before; True where patience is at its end."""
        done = {(line["step"], line["name"]) for line in self.lines}
        for one in self.all:
            if one.told.due(step, self.steps) and (step, one.told.name) not in done:
                self._note(one, step, one.measure(model, self.precision, self.ranks))
        return self._tired()

    def _note(self, one: Measurement, step: int, found: Measured) -> None:
        line = {"step": step, "name": one.told.name, "n": len(one.samples), "values": found.values, "low": found.low}
        before = self.best
        self.lines.append(line)
        if self.ranks.first:
            shown = zip(one.samples, found.answers, strict=False)
            answers = [
                {"step": step, "name": one.told.name, "id": sample.id, "answer": answer}
                for sample, answer in list(shown)[: one.told.gallery]
            ]
            _append(self._answers, answers)
            if answers:
                write_gallery(self.page, self.stage.name, self.all, self._answers)
            numbers = ", ".join(f"{key} {value:.4g}" for key, value in found.values.items())
            self.tell(f"step {step}/{self.steps}, {one.told.name}: {numbers}")
        # `step`: the model before its first step is no checkpoint of this stage.
        if self.stage.keep == "best" and self.best is line and line is not before and step:
            self._keep()
        if self.ranks.first:  # last: a run killed before measures again
            _append(self._log, [line])
            self._track(f"eval/{self.stage.name}/{one.told.name}", step, found.values)

    @property
    def best(self) -> dict[str, Any] | None:
        """The line with the best number so far."""
        return best_line(self.lines, *watched(self.lines, self.stage.best))

    def _tired(self) -> bool:
        best, patience = self.best, self.stage.patience
        if patience is None or best is None:
            return False
        name, metric = watched(self.lines, self.stage.best)
        since = [line for line in _of(self.lines, name, metric) if line["step"] > best["step"]]
        return len(since) >= patience


def watched(lines: Sequence[dict[str, Any]], best: str | None) -> tuple[str, str]:
    """Name and metric that the best goes by: `NAME.METRIC` where it is given, else the first number that was measured."""
    if best is not None:
        name, _, metric = best.rpartition(".")
        return name, metric
    return (lines[0]["name"], next(iter(lines[0]["values"]))) if lines else ("", LOSS)


def best_line(lines: Sequence[dict[str, Any]], name: str, metric: str) -> dict[str, Any] | None:
    """The line with the best number behind the first step; of equal ones the earliest."""
    found = _of(lines, name, metric)
    return min(found, key=lambda line: float(line["values"][metric]) * (1 if metric in line["low"] else -1), default=None)


def _of(lines: Sequence[dict[str, Any]], name: str, metric: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["name"] == name and metric in line["values"] and line["step"] > 0]


def _kept(path: Path, first: int) -> list[dict[str, Any]]:
    """Whole lines of measurements up to the step that the run goes on from."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines(keepends=True):
        # A kill may have torn the last line.
        if text.endswith("\n"):
            line: dict[str, Any] = json.loads(text)
            if line["step"] <= first:
                lines.append(line)
    return lines


def _rewrite(path: Path, lines: list[dict[str, Any]]) -> None:
    with atomic_open(path) as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _append(path: Path, lines: list[dict[str, Any]]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
