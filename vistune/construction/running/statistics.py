"""`Statistics`: what a run made and why it rejected what it rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vistune.construction.record import Record
from vistune.sample import Region

_CAUSES = 1000
_LONGEST = 300


@dataclass(slots=True)
class Statistics:
    """Counts over finished records; `turns` are assistant turns, `words` their words; `causes` are rejects with their detail,
    as far as there are few of them."""

    samples: int = 0
    turns: int = 0
    words: int = 0
    boxes: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)

    def count(self, record: Record) -> None:
        """Add one finished record."""
        if record.reject:
            self.rejects[record.reason] += 1
            cause = record.reject[:_LONGEST]
            # Bounded: causes may hold names of files, and a run of millions must not keep millions of sentences.
            if cause in self.causes or len(self.causes) < _CAUSES:
                self.causes[cause] += 1
            return
        told = [turn for turn in record.turns if turn.role == "assistant"]
        self.samples += 1
        self.turns += len(told)
        self.words += sum(len(turn.text.split()) for turn in told)
        self.boxes += sum(isinstance(part, Region) for turn in record.turns for part in turn.parts)
        self.tasks[record.task] += 1

    def commonest(self) -> str:
        """The reject that happened most often, with its detail; empty when there was none."""
        return next(iter(_plain(self.causes)), "")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "samples": self.samples,
            "turns": self.turns,
            "words": self.words,
            "boxes": self.boxes,
            "tasks": _plain(self.tasks),
            "rejects": _plain(self.rejects),
            "commonest_reject": self.commonest(),
        }


def _plain(counts: Mapping[str, int]) -> dict[str, int]:
    # Ties by name, so that `run.json` is the same for the same run.
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))
