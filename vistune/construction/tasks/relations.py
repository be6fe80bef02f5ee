"""Two things and how they relate: the relation, either thing, either region, and statements that are true or false."""

from __future__ import annotations

from collections.abc import Iterator

from vistune.construction.facts import Relation
from vistune.construction.operators.template import Filled, Template
from vistune.construction.record import Record
from vistune.construction.tasks.wording import YES_NO, box, draw_of, five, optional, shuffled
from vistune.sample import Region

_SWAPPED = {
    "left": "right",
    "right": "left",
    "above": "below",
    "below": "above",
    "in front of": "behind",
    "behind": "in front of",
}


def _related(record: Record) -> Iterator[tuple[Relation, Region, Region]]:
    """Relations whose two things are known by one box each."""
    boxes: dict[str, list[Region]] = {}
    for item in record.facts.objects:
        boxes.setdefault(item.label or "", []).append(item)
    for relation in record.facts.relations:
        a, b = boxes.get(relation.subject, []), boxes.get(relation.object, [])
        if len(a) == len(b) == 1:
            yield relation, a[0], b[0]


def _relation(record: Record) -> list[Filled]:
    return [Filled.of(one.predicate, a=box(a.bounds()), b=box(b.bounds())) for one, a, b in _related(record)]


def _object(record: Record) -> list[Filled]:
    return [Filled.of(one.object, a=box(a.bounds()), relation=one.predicate) for one, a, b in _unique(record, "object")]


def _subject(record: Record) -> list[Filled]:
    return [Filled.of(one.subject, b=box(b.bounds()), relation=one.predicate) for one, a, b in _unique(record, "subject")]


def _object_region(record: Record) -> list[Filled]:
    return [Filled.of(box(b.bounds()), a=box(a.bounds()), relation=one.predicate) for one, a, b in _unique(record, "object")]


def _subject_region(record: Record) -> list[Filled]:
    return [Filled.of(box(a.bounds()), b=box(b.bounds()), relation=one.predicate) for one, a, b in _unique(record, "subject")]


def _unique(record: Record, asked: str) -> Iterator[tuple[Relation, Region, Region]]:
    """Relations that leave no doubt which thing is asked for: no other has the same predicate and the same other end."""
    found = list(_related(record))
    for one, a, b in found:
        same = [
            other
            for other, _, _ in found
            if other.predicate == one.predicate
            and (other.subject == one.subject if asked == "object" else other.object == one.object)
        ]
        if len(same) == 1:
            yield one, a, b


def _statement(record: Record) -> list[Filled]:
    """A relation in words, half the time turned into its contrary, where it has one."""
    draw, made = draw_of(record, "visual_spatial_reasoning"), []
    for one in record.facts.relations:
        turned = next((one.predicate.replace(word, other) for word, other in _SWAPPED.items() if word in one.predicate), None)
        if turned is None:
            continue
        wrong = draw.random() < 0.5
        text = f"The {one.subject} {turned if wrong else one.predicate} the {one.object}."
        made.append(Filled.of("no" if wrong else "yes", text=text, options=shuffled(YES_NO, draw)))
    return made


def _given(name: str, first: str, second: str) -> Template:
    """Statements with their verdicts, of records whose topic is the task: the usual verdicts are the options."""

    def fill(record: Record) -> list[Filled]:
        known = record.facts.qa if record.meta.get("topic") == name else ()
        return [Filled.of(tell, text=ask, options="||||".join(dict.fromkeys([*_VERDICTS[name], tell]))) for ask, tell in known]

    return Template(name, optional(first, second), fill)


_VERDICTS = {
    "natural_language_visual_reasoning": ("true", "false"),
    "visual_nli": ("entailment", "neutral", "contradiction"),
}

TASKS = (
    Template("object_relationship", five("How does {a} relate to {b}?", "What connects {a} with {b}?"), _relation),
    Template("visual_object_identification", five("{a} {relation} what?", "What is it that {a} {relation}?"), _object),
    Template("visual_subject_identification", five("What {relation} {b}?", "Name what {relation} {b}."), _subject),
    Template(
        "visual_object_region", five("Where is what {a} {relation}?", "Give the region that {a} {relation}."), _object_region
    ),
    Template(
        "visual_subject_region", five("Where is what {relation} {b}?", "Give the region that {relation} {b}."), _subject_region
    ),
    Template("visual_spatial_reasoning", optional('Is this true: "{text}"?', 'Judge the places: "{text}"'), _statement),
    _given("natural_language_visual_reasoning", 'Is this true: "{text}"?', 'Does the picture support "{text}"?'),
    _given("visual_nli", 'What follows for "{text}"?', 'Does the picture entail "{text}"?'),
)
