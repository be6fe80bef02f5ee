"""Where records come from: one data set, or several about the same media joined (captions here, boxes there)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from vistune.construction.facts import Boxed, Facts, Spoken, facts_of
from vistune.construction.media_files import encoded
from vistune.construction.offline.facts import known
from vistune.construction.record import Record, record_of
from vistune.data.media.image import content_hash
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

    Media are the same when their paths are, or in memory their contents. Raises `InputError` for a further data set about none
    of the first one's media.
    """

    def __init__(self, specs: Sequence[str | Mapping[str, Any]], spoken: Spoken) -> None:
        if not specs:
            raise InputError("a pipeline needs data: give --data kind:path")
        self._first, *others = [_Source.of(spec, spoken) for spec in specs]
        self._known, self._without_media = _by_medium(others)
        _check_shared(self._first, others)

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
        if self._first.drawn:
            record = known(record, sample)
        extra = self._known.get(_place(sample)) if self._known else None
        return record if extra is None else record.with_facts(record.facts.joined(extra))


@dataclass(frozen=True, slots=True)
class _Source:
    """A data set; `places` are where its samples' first media are, noted as it is read. `drawn`: is its truth that of the
    world, as it is drawn?"""

    name: str
    samples: Samples
    spoken: Spoken
    boxed: Boxed
    places: set[str] = field(default_factory=set)
    drawn: bool = False

    @classmethod
    def of(cls, spec: str | Mapping[str, Any], spoken: Spoken) -> _Source:
        if not isinstance(spec, str):
            return cls._opened(f"{spec.get('kind')}:{spec.get('path', '')}", spec, spoken, "objects")
        role, mark, rest = spec.partition("=")
        if not mark or ":" in role:
            return cls._opened(spec, parse(spec), spoken, "objects")
        if role in get_args(Spoken):
            return cls._opened(spec, parse(rest), cast(Spoken, role), "objects")
        if role in get_args(Boxed):
            return cls._opened(spec, parse(rest), spoken, cast(Boxed, role))
        known_roles = [*get_args(Spoken), *get_args(Boxed)]
        raise InputError(f"--data {spec!r}: {role!r} is no kind of fact that data can be taken for{nearest(role, known_roles)}")

    @classmethod
    def _opened(cls, name: str, spec: Mapping[str, Any], spoken: Spoken, boxed: Boxed) -> _Source:
        """The world's conversations are what builders are to replace: unless a task is named, its captions are the source, or
        one question a picture for pipelines that begin with questions."""
        if spec.get("kind") != "world":
            return cls(name, read(dict(spec)), spoken, boxed)
        asked = {"task": "captions" if spoken == "captions" else "mix", **spec}
        drawn = asked.get("domain", "clean") == "clean" and asked.get("control", "none") == "none"
        return cls(name, read(asked), spoken, boxed, drawn=drawn)


def _by_medium(others: Sequence[_Source]) -> tuple[dict[str, Facts], list[Record]]:
    known: dict[str, Facts] = {}
    without_media = []
    for source in others:
        for sample in source.samples:
            if not sample.media:
                without_media.append(record_of(sample, source.spoken, source.boxed))
                continue
            place = _place(sample)
            source.places.add(place)
            known[place] = known.get(place, Facts()).joined(facts_of(sample, source.spoken, source.boxed))
    return known, without_media


def _check_shared(first: _Source, others: Sequence[_Source]) -> None:
    """Raises `InputError` for a further data set about other media; reads the first only until all have met it."""
    apart = [source for source in others if source.places]
    samples = iter(first.samples)
    while apart:
        sample = next(samples, None)
        if sample is None:
            raise InputError(f"--data {apart[0].name} is about none of the media of {first.name}: check the paths of both")
        place = _place(sample)
        apart = [source for source in apart if place not in source.places]


def _place(sample: Sample) -> str:
    """Where the first medium is, or what it holds when it is in memory; empty without media."""
    if not sample.media:
        return ""
    medium = sample.media[0]
    if medium.path is not None:
        return f"{os.path.abspath(medium.path)}:{medium.offset}"
    return f"{medium.kind} {content_hash(medium)}"
