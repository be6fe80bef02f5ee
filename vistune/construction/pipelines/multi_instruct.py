"""MultiInstruct: tasks by template with five instructions each, regions pointed at."""

from __future__ import annotations

from vistune.construction.boxes import Notation
from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.place import ground
from vistune.construction.operators.template import Filled, Template, asked, describe, templates
from vistune.construction.pipeline import Pipeline
from vistune.construction.record import Operator, Record

_BOX = Notation("unit")


def _objects(record: Record) -> list[Filled]:
    return [Filled.of(item.label or "", box=_BOX.write(item.bounds())) for item in record.facts.objects]


def _find(record: Record) -> list[Filled]:
    names = [item.label for item in record.facts.objects]
    single = [item for item in record.facts.objects if names.count(item.label) == 1]
    return [Filled.of(_BOX.write(item.bounds()), name=item.label or "") for item in single]


def _regions(record: Record) -> list[Filled]:
    return [Filled.of(item.label or "", box=_BOX.write(item.bounds())) for item in record.facts.regions]


def _read(record: Record) -> list[Filled]:
    return [Filled.of(item.label or "", box=_BOX.write(item.bounds())) for item in record.facts.ocr]


TASKS = (
    describe(
        (
            "Write one sentence about the picture.",
            "Summarise the image in a sentence.",
            "What does the picture show? One sentence.",
            "State what can be seen.",
            "Give the picture a line of text.",
        )
    ),
    asked(("{question}", "Question: {question}", "Answer this: {question}", "{question} Look closely.", "Tell me: {question}")),
    Template(
        "region_name",
        (
            "Which object is in {box}?",
            "{box} holds what?",
            "Classify the region {box}.",
            "Give the category at {box}.",
            "What thing lies in {box}?",
        ),
        _objects,
    ),
    Template(
        "find",
        (
            "Which region holds the {name}?",
            "Give the region of the {name}.",
            "Locate the {name}.",
            "Mark the {name}.",
            "Find the {name} and give its region.",
        ),
        _find,
    ),
    Template(
        "region_caption",
        (
            "Describe {box}.",
            "What happens in {box}?",
            "Write about the region {box}.",
            "Put {box} into words.",
            "What would you say of {box}?",
        ),
        _regions,
    ),
    Template(
        "read",
        (
            "Read the text in {box}.",
            "What is written at {box}?",
            "Transcribe {box}.",
            "Which words are in {box}?",
            "Give the text of {box}.",
        ),
        _read,
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """Every task that a record's annotations allow, one of its five instructions each."""
    return [templates(*TASKS, seed=kit.seed), ground(), *tidy(kit)]


PIPELINE = Pipeline(
    "MultiInstruct (Xu et al., 2023, section 3)",
    ("captions or qa or objects or regions or ocr",),
    "six families of tasks by template, five instructions each",
    steps,
    deviations="six of the 62 tasks, those that captions, questions, boxes and text allow, none of which lists options; "
    "more are one `Template` each",
)
