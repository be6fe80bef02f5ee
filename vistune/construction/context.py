"""Symbolic context: what is known about the media, written as text for a model that cannot see them."""

from __future__ import annotations

from collections.abc import Callable

from vistune.construction.boxes import Notation
from vistune.construction.facts import Facts, Span, Volume, check_kind
from vistune.construction.record import Record
from vistune.sample import Region


def block(record: Record, kinds: tuple[str, ...], notation: Notation) -> str:
    """The kinds of facts in order, each under its heading; `note:NAME` is a note, `gallery` and `placeholders` number
    the media's captions, as IMAGE#1 and as <img0>."""
    parts = [_part(record, kind, notation) for kind in kinds]
    return "\n\n".join(part for part in parts if part)


def words(facts: Facts) -> str:
    """Every text among the facts, for checks."""
    said = [*facts.captions, *facts.tags, *facts.labels, *facts.mentions, *facts.knowledge, *facts.layout]
    said += [*facts.before, *facts.after, *(text for pair in facts.qa for text in pair)]
    said += [region.label or "" for region in (*facts.objects, *facts.regions, *facts.ocr, *facts.keypoints)]
    said += [volume.text for volume in facts.volumes]
    said += [span.text for span in (*facts.speech, *facts.events)]
    said += [f"{relation.subject} {relation.predicate} {relation.object}" for relation in facts.relations]
    return "\n".join(said)


def _part(record: Record, kind: str, notation: Notation) -> str:
    if kind.startswith("note:"):
        return record.notes[kind.removeprefix("note:")]
    if kind == "gallery":
        return "\n".join(f"IMAGE#{number}: {caption}" for number, caption in enumerate(record.facts.captions, 1))
    if kind == "placeholders":
        return "\n".join(f"<img{number}> {caption}" for number, caption in enumerate(record.facts.captions))
    lines = _WRITE[check_kind(kind)](record.facts, notation)
    return "\n".join([_HEADINGS[kind], *lines]) if lines else ""


def _boxed(regions: tuple[Region, ...], notation: Notation) -> list[str]:
    mark = " " if notation.name == "pixels" else ": "
    return [f"{region.label}{mark}{notation.write(region.bounds())}" for region in regions]


def _timed(spans: tuple[Span, ...]) -> list[str]:
    return [f"{span.start:.1f}-{span.end:.1f} s: {span.text}" for span in spans]


def write_point(region: Region) -> str:
    """`[0.250, 0.600]`, x and y as parts of the picture."""
    assert region.point is not None, "keypoints have a point"
    return f"[{region.point[0]:.3f}, {region.point[1]:.3f}]"


def write_volume(volume: Volume) -> str:
    """`[x, y, z, length, width, height]`, the middle and the sides, in the cloud's own units."""
    return f"[{', '.join(f'{value:.2f}' for value in volume.box)}]"


_HEADINGS = {
    "captions": "Descriptions:",
    "objects": "Objects and where they are:",
    "regions": "Regions and where they are:",
    "relations": "Relations:",
    "ocr": "Text that can be read:",
    "speech": "What is said:",
    "events": "What happens:",
    "tags": "Tags:",
    "labels": "Class:",
    "mentions": "Sentences that refer to the figure:",
    "knowledge": "Background:",
    "layout": "Elements of the screen:",
    "before": "Before:",
    "after": "After:",
    "qa": "Questions and answers:",
    "keypoints": "Points and where they are:",
    "volumes": "Objects and their boxes in space:",
}

_WRITE: dict[str, Callable[[Facts, Notation], list[str]]] = {
    "captions": lambda facts, _: list(facts.captions),
    "objects": lambda facts, notation: _boxed(facts.objects, notation),
    "regions": lambda facts, notation: _boxed(facts.regions, notation),
    "relations": lambda facts, _: [f"{item.subject} {item.predicate} {item.object}" for item in facts.relations],
    "ocr": lambda facts, notation: _boxed(facts.ocr, notation),
    "speech": lambda facts, _: _timed(facts.speech),
    "events": lambda facts, _: _timed(facts.events),
    "tags": lambda facts, _: [", ".join(facts.tags)] if facts.tags else [],
    "labels": lambda facts, _: list(facts.labels),
    "mentions": lambda facts, _: list(facts.mentions),
    "knowledge": lambda facts, _: list(facts.knowledge),
    "layout": lambda facts, _: list(facts.layout),
    "before": lambda facts, _: list(facts.before),
    "after": lambda facts, _: list(facts.after),
    "keypoints": lambda facts, _: [f"{item.label}: {write_point(item)}" for item in facts.keypoints],
    "volumes": lambda facts, _: [f"{item.text}: {write_volume(item)}" for item in facts.volumes],
    "qa": lambda facts, _: [f"Q: {question}\nA: {answer}" for question, answer in facts.qa],
}
