"""`Statistics`: what a run made and why it rejected what it rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vistune.build.record import Record
from vistune.sample import Region


@dataclass(slots=True)
class Statistics:
    """Counts over finished records; `turns` are assistant turns, `words` their words."""

    samples: int = 0
    turns: int = 0
    words: int = 0
    boxes: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)

    def count(self, record: Record) -> None:
        """Add one finished record."""
        if record.reject:
            self.rejects[record.reason] += 1
            return
        told = [turn for turn in record.turns if turn.role == "assistant"]
        self.samples += 1
        self.turns += len(told)
        self.words += sum(len(turn.text.split()) for turn in told)
        self.boxes += sum(isinstance(part, Region) for turn in record.turns for part in turn.parts)
        self.tasks[record.task] += 1

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "samples": self.samples,
            "turns": self.turns,
            "words": self.words,
            "boxes": self.boxes,
            "tasks": _plain(self.tasks),
            "rejects": _plain(self.rejects),
        }


def _plain(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))
