"""What data holds: lengths, roles, tasks, answers, media."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vistune.sample import Region, Sample

_WORD = re.compile(r"\w+")
_TASK_KEYS = ("task", "dataset", "type", "source", "split", "lang")
_RARE = 10_000  # distinct meta values beyond which a key is no category


@dataclass
class Stats:
    """Counts over samples; `add` them one by one, then `to_json`."""

    samples: int = 0
    media: Counter[str] = field(default_factory=Counter)
    per_sample: Counter[int] = field(default_factory=Counter)
    turns: Counter[int] = field(default_factory=Counter)
    words: dict[str, list[int]] = field(default_factory=lambda: {"user": [], "assistant": [], "system": []})
    vocabulary: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    tasks: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, sample: Sample) -> None:
        """Count one sample in."""
        self.samples += 1
        self.media.update(medium.kind for medium in sample.media)
        self.per_sample[len(sample.media)] += 1
        self.turns[len(sample.turns)] += 1
        for turn in sample.turns:
            words = _WORD.findall(turn.text.lower())
            self.words[turn.role].append(len(words))
            self.vocabulary.update(words)
            if turn.role == "assistant" and len(words) <= 5:
                self.answers[turn.text.strip()] += 1
        for region in [*sample.regions, *(part for turn in sample.turns for part in turn.parts if isinstance(part, Region))]:
            self.regions["box" if region.box is not None else "point" if region.point is not None else "mask"] += 1
        self.labels.update(region.label for region in sample.regions if region.label)
        self._tasks(sample.meta)

    def _tasks(self, meta: Mapping[str, Any]) -> None:
        for key in _TASK_KEYS:
            if isinstance(meta.get(key), str | int):
                counter = self.tasks.setdefault(key, Counter())
                if len(counter) < _RARE:
                    counter[str(meta[key])] += 1

    def to_json(self, top: int = 20) -> dict[str, Any]:
        """Plain JSON, with the `top` most frequent answers, labels and words."""
        return {
            "samples": self.samples,
            "media": dict(self.media),
            "media_per_sample": {str(number): count for number, count in sorted(self.per_sample.items())},
            "turns_per_sample": {str(number): count for number, count in sorted(self.turns.items())},
            "words_per_turn": {role: _spread(lengths) for role, lengths in self.words.items() if lengths},
            "vocabulary": len(self.vocabulary),
            "frequent_words": dict(self.vocabulary.most_common(top)),
            "short_answers": dict(self.answers.most_common(top)),
            "regions": dict(self.regions),
            "labels": dict(self.labels.most_common(top)),
            "tasks": {key: dict(counter.most_common(top)) for key, counter in self.tasks.items()},
        }


def _spread(lengths: list[int]) -> dict[str, float]:
    values = np.array(lengths)
    low, middle, high = (float(value) for value in np.percentile(values, [5, 50, 95]))
    return {"mean": round(float(values.mean()), 2), "p5": low, "median": middle, "p95": high, "max": int(values.max())}


def stats_of(samples: Iterable[Sample]) -> Stats:
    """Count samples."""
    stats = Stats()
    for sample in samples:
        stats.add(sample)
    return stats
