"""`Facts`: what is known about the media of a record, in words and coordinates.

They come from a `Sample`: labelled regions become objects, texts come from `meta` under the names below, and the sample's own
conversation is taken for captions or for questions and answers, as the pipeline needs. Samples about the same media are
joined (`Facts.joined`), so that captions may come from one file and boxes from another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, Literal, TypeAlias

from vistune.errors import InputError, nearest
from vistune.sample import MediaRef, Region, Sample, Text, Turn

Spoken: TypeAlias = Literal["captions", "qa"]
Boxed: TypeAlias = Literal["objects", "regions", "ocr"]


@dataclass(frozen=True, slots=True)
class Span:
    """Something said or seen between two moments (seconds)."""

    start: float
    end: float
    text: str

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:  # also false for NaN
            raise InputError(f"a span of time runs from {self.start} to {self.end} seconds, expected 0 <= start <= end")


@dataclass(frozen=True, slots=True)
class Volume:
    """A named box in a point cloud: its middle (x, y, z) and its sides, in the cloud's own units."""

    text: str
    box: tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Relation:
    """Subject, predicate, object: three names."""

    subject: str
    predicate: str
    object: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything an operator may put before a language model that cannot see; each field may be empty.

    `objects` are labelled boxes, `regions` boxes with a phrase or sentence, `ocr` boxes with the text read there, `speech`
    and `events` spans of time, `mentions` sentences of a document that cite the figure, `knowledge` sentences from a
    source outside the media, `layout` the lines of a user interface's tree, `labels` class names, `before` and `after`
    what happened around a screenshot, `qa` questions with their answers, `keypoints` labelled points, `volumes` boxes in a
    point cloud.
    """

    captions: tuple[str, ...] = ()
    objects: tuple[Region, ...] = ()
    regions: tuple[Region, ...] = ()
    relations: tuple[Relation, ...] = ()
    ocr: tuple[Region, ...] = ()
    speech: tuple[Span, ...] = ()
    events: tuple[Span, ...] = ()
    tags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    knowledge: tuple[str, ...] = ()
    layout: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    qa: tuple[tuple[str, str], ...] = ()
    keypoints: tuple[Region, ...] = ()
    volumes: tuple[Volume, ...] = ()

    def has(self, kind: str) -> bool:
        """Is anything of this kind known?"""
        return bool(_GET[check_kind(kind)](self))

    def joined(self, other: Facts) -> Facts:
        """Both together, without repeats, in order."""
        merged = {name: _union(get(self), get(other)) for name, get in _GET.items()}
        return replace(self, **merged)


KINDS: tuple[str, ...] = tuple(field.name for field in fields(Facts))
_GET = {kind: attrgetter(kind) for kind in KINDS}


def check_kind(kind: str) -> str:
    """The kind itself; raises `InputError` with the nearest known one."""
    if kind not in KINDS:
        raise InputError(f"no kind of fact is called {kind!r}{nearest(kind, list(KINDS))}")
    return kind


def facts_of(sample: Sample, spoken: Spoken = "qa", boxed: Boxed = "objects") -> Facts:
    """Read what a sample says about its media: its conversation becomes `spoken`, its labelled boxes become `boxed`.

    Raises `InputError` naming the sample for an ill-formed entry of `meta`.
    """
    try:
        given = {name: tuple(_READ[name](item) for item in sample.meta[name]) for name in KINDS if name in sample.meta}
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"{sample.where}: a fact in meta is ill-formed: {error}") from error
    boxes = tuple(region for region in sample.regions if region.label and region.box is not None)
    points = tuple(region for region in sample.regions if region.label and region.point is not None)
    described = spoken == "captions" and sample.media  # without media there is nothing that a caption could describe
    said: dict[str, Any] = {"captions": _captions(sample)} if described else {"qa": _qa(sample)}
    return Facts(**{**said, boxed: boxes, "keypoints": points}).joined(Facts(**given))


def _captions(sample: Sample) -> tuple[str, ...]:
    told = tuple(turn.text.strip() for turn in sample.turns if turn.role == "assistant" and _is_text(turn))
    return _union(sample.answers, tuple(text for text in told if text not in sample.answers))


def _is_text(turn: Turn) -> bool:
    """Words alone: a list of names with boxes describes nothing once the boxes are gone."""
    return bool(turn.text.strip()) and all(isinstance(part, Text | MediaRef) for part in turn.parts)


def _qa(sample: Sample) -> tuple[tuple[str, str], ...]:
    return tuple(
        (first.text.strip(), second.text.strip())
        for first, second in zip(sample.turns, sample.turns[1:], strict=False)
        if first.role == "user" and second.role == "assistant" and first.text.strip() and second.text.strip()
    )


def _union(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    return first + tuple(item for item in second if item not in first)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _region(value: Mapping[str, Any]) -> Region:
    x1, y1, x2, y2 = (float(number) for number in value["box"])
    return Region(media=int(value.get("on", 0)), box=(x1, y1, x2, y2), label=_text(value["text"]))


def _point(value: Mapping[str, Any]) -> Region:
    x, y = (float(number) for number in value["point"])
    return Region(media=int(value.get("on", 0)), point=(x, y), label=_text(value["text"]))


def _volume(value: Mapping[str, Any]) -> Volume:
    x, y, z, length, width, height = (float(number) for number in value["box"])
    return Volume(_text(value["text"]), (x, y, z, length, width, height))


def _span(value: Mapping[str, Any]) -> Span:
    return Span(float(value["start"]), float(value["end"]), _text(value["text"]))


def _relation(value: Any) -> Relation:
    subject, predicate, target = value
    return Relation(_text(subject), _text(predicate), _text(target))


def _pair(value: Any) -> tuple[str, str]:
    question, answer = value
    return _text(question), _text(answer)


_READ: dict[str, Any] = dict.fromkeys(KINDS, _text) | {
    "objects": _region,
    "regions": _region,
    "ocr": _region,
    "relations": _relation,
    "speech": _span,
    "events": _span,
    "qa": _pair,
    "keypoints": _point,
    "volumes": _volume,
}
