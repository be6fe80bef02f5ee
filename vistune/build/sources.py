"""Where records come from: one data set, or several about the same media joined (captions here, boxes there)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vistune.build.facts import Facts, Spoken, facts_of
from vistune.build.media_files import encoded
from vistune.build.record import Record, record_of
from vistune.data.samples import Samples, parse, read
from vistune.errors import InputError
from vistune.sample import Sample


class Sources:
    """Records of the first data set, each with the facts that the others know about its first medium.

    specs:   data as `vistune.read` takes it; the world stands for its captions, which come with boxes
    spoken:  what a sample's own conversation is taken for, captions or questions and answers
    """

    def __init__(self, specs: Sequence[str | Mapping[str, Any]], spoken: Spoken) -> None:
        if not specs:
            raise InputError("a pipeline needs data: give --data kind:path")
        first, *others = [read(_captioned(spec)) for spec in specs]
        self._samples, self._spoken = first, spoken
        self._known = _by_medium(others, spoken)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Record:
        return self._record(self._samples[index])

    def __iter__(self) -> Iterator[Record]:
        return (self._record(sample) for sample in self._samples)

    def _record(self, sample: Sample) -> Record:
        record = record_of(encoded(sample), self._spoken)
        extra = self._known.get(_place(sample))
        return record if extra is None else record.with_facts(record.facts.joined(extra))


def _captioned(spec: str | Mapping[str, Any]) -> dict[str, Any]:
    """The world's conversations are what builders are to replace: unless a task is named, its captions are the source."""
    parsed = dict(parse(spec) if isinstance(spec, str) else spec)
    return {"task": "captions", **parsed} if parsed.get("kind") == "world" else parsed


def _by_medium(others: Sequence[Samples], spoken: Spoken) -> dict[str, Facts]:
    known: dict[str, Facts] = {}
    for samples in others:
        for sample in samples:
            place = _place(sample)
            known[place] = known.get(place, Facts()).joined(facts_of(sample, spoken))
    known.pop("", None)
    return known


def _place(sample: Sample) -> str:
    if not sample.media or sample.media[0].path is None:
        return ""
    medium = sample.media[0]
    return f"{os.path.abspath(medium.path or '')}:{medium.offset}"
