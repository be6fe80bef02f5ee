"""Where records come from: one data set, or several about the same media joined (captions here, boxes there)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

from vistune.build.facts import Boxed, Facts, Spoken, facts_of
from vistune.build.media_files import encoded
from vistune.build.record import Record, record_of
from vistune.data.samples import Samples, parse, read
from vistune.errors import InputError, nearest
from vistune.sample import Sample


class Sources:
    """Records of the first data set, each with the facts that the others know about its first medium.

    Samples of the others that have no media are records of their own, after the first set's.

    specs:   data as `vistune.read` takes it. `regions=visual_genome:...` says what its labelled boxes are (`objects`, `regions`
             or `ocr`), `qa=...` or `captions=...` what its conversations are. The world stands for its captions, which come
             with boxes.
    spoken:  what conversations are taken for when the spec does not say
    """

    def __init__(self, specs: Sequence[str | Mapping[str, Any]], spoken: Spoken) -> None:
        if not specs:
            raise InputError("a pipeline needs data: give --data kind:path")
        self._first, *others = [_Source.of(spec, spoken) for spec in specs]
        self._known, self._without_media = _by_medium(others)

    def __len__(self) -> int:
        return len(self._first.samples) + len(self._without_media)

    def __getitem__(self, index: int) -> Record:
        own = len(self._first.samples)
        return self._record(self._first.samples[index]) if index < own else self._without_media[index - own]

    def __iter__(self) -> Iterator[Record]:
        yield from (self._record(sample) for sample in self._first.samples)
        yield from self._without_media

    def _record(self, sample: Sample) -> Record:
        record = record_of(encoded(sample), self._first.spoken, self._first.boxed)
        extra = self._known.get(_place(sample))
        return record if extra is None else record.with_facts(record.facts.joined(extra))


@dataclass(frozen=True, slots=True)
class _Source:
    samples: Samples
    spoken: Spoken
    boxed: Boxed

    @classmethod
    def of(cls, spec: str | Mapping[str, Any], spoken: Spoken) -> _Source:
        if not isinstance(spec, str):
            return cls(read(_captioned(spec)), spoken, "objects")
        role, mark, rest = spec.partition("=")
        if not mark or ":" in role:
            return cls(read(_captioned(parse(spec))), spoken, "objects")
        if role in get_args(Spoken):
            return cls(read(_captioned(parse(rest))), cast(Spoken, role), "objects")
        if role in get_args(Boxed):
            return cls(read(_captioned(parse(rest))), spoken, cast(Boxed, role))
        known = [*get_args(Spoken), *get_args(Boxed)]
        raise InputError(f"--data {spec!r}: {role!r} is no kind of fact that data can be taken for{nearest(role, known)}")


def _captioned(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The world's conversations are what builders are to replace: unless a task is named, its captions are the source."""
    return {"task": "captions", **spec} if spec.get("kind") == "world" else dict(spec)


def _by_medium(others: Sequence[_Source]) -> tuple[dict[str, Facts], list[Record]]:
    known: dict[str, Facts] = {}
    without_media = []
    for source in others:
        for sample in source.samples:
            if not sample.media:
                without_media.append(record_of(sample, source.spoken, source.boxed))
                continue
            place = _place(sample)
            known[place] = known.get(place, Facts()).joined(facts_of(sample, source.spoken, source.boxed))
    known.pop("", None)
    return known, without_media


def _place(sample: Sample) -> str:
    if not sample.media or sample.media[0].path is None:
        return ""
    medium = sample.media[0]
    return f"{os.path.abspath(medium.path or '')}:{medium.offset}"
