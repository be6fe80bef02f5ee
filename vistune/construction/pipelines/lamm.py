"""LAMM: daily and factual dialogues, descriptions, and vision tasks by template, each under a system message of its own."""

from __future__ import annotations

from vistune.construction.boxes import Notation
from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate
from vistune.construction.operators.place import ground
from vistune.construction.operators.source import fan, require
from vistune.construction.operators.template import Filled, Template, describe, templates, with_system
from vistune.construction.parsers import free_text, triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, Record, of_task, when

_BOX = Notation("unit")
_SHOWN = "Descriptions:\nA heron stands in shallow water."

DAILY = Prompt(
    "daily",
    "conversation",
    f"{UNSEEN} Write a friendly everyday conversation of several turns about the picture.",
    ("captions", "objects"),
    triple_equals.FORMAT,
    (_SHOWN, (Item.of(("What bird is that?", "It is a heron, waiting in the shallows.")),)),
)
DETAIL = Prompt(
    "detail",
    "detail",
    f"{UNSEEN} Describe the picture in detail.",
    ("captions", "objects"),
    free_text.FORMAT,
    (_SHOWN, (Item.of(("", "A heron stands motionless in shallow water.")),)),
    questions=("Describe the image in detail.", "What do you see? Be thorough."),
)
FACTUAL = Prompt(
    "factual",
    "background",
    f"{UNSEEN} Background knowledge about what is shown is given as well. Write a conversation that asks for such knowledge, "
    "beginning from what can be seen.",
    ("captions", "labels", "knowledge"),
    triple_equals.FORMAT,
    (
        f"{_SHOWN}\n\nBackground:\nHerons feed mainly on fish.",
        (Item.of(("What does this bird live on?", "It is a heron, and herons live mainly on fish.")),),
    ),
)
_PROMPTS = {prompt.name: prompt for prompt in (DAILY, DETAIL, FACTUAL)}


def _boxes(record: Record) -> list[Filled]:
    listed = "; ".join(f"{item.label} {_BOX.write(item.bounds())}" for item in record.facts.objects)
    return [Filled.of(listed)] if listed else []


def _classes(record: Record) -> list[Filled]:
    return [Filled.of(label) for label in record.facts.labels[:1]]


def _texts(record: Record) -> list[Filled]:
    return [Filled.of(" ".join(item.label or "" for item in record.facts.ocr))] if record.facts.ocr else []


_VISION = (
    Template("detection", ("List every object with its position.", "Find all objects and give their boxes."), _boxes),
    Template("classification", ("Which class does the picture belong to?", "Classify the image."), _classes),
    Template("ocr", ("Read the text in the picture.", "What is written here?"), _texts),
    describe(("Caption the picture.", "Describe the picture in one sentence."), "captioning"),
)
SYSTEM = {
    "daily": "You chat about pictures with people.",
    "detail": "You describe pictures thoroughly.",
    "factual": "You explain what pictures show and what is known about it.",
    "detection": "You find objects: answer with names and boxes.",
    "classification": "You classify pictures: answer with the class.",
    "ocr": "You read text in pictures: answer with the text.",
    "captioning": "You caption pictures: answer with one sentence.",
}


def steps(kit: Kit) -> list[Operator]:
    """Three kinds of dialogue and the vision tasks that the annotations allow."""
    return [
        fan(*_PROMPTS, "vision"),
        when(of_task("daily", "detail"), require("captions")),
        when(of_task("factual"), require("captions", "knowledge")),
        when(of_task(*_PROMPTS), generate(kit.writer, _PROMPTS, seed=kit.seed)),
        when(of_task("vision"), templates(*_VISION, seed=kit.seed)),
        when(of_task(*_PROMPTS), ground(known=True)),
        when(of_task("detection"), ground()),
        *tidy(kit),
        with_system(SYSTEM),
    ]


PIPELINE = Pipeline(
    "LAMM (Yin et al., 2023, section 3)",
    ("captions or objects or labels or ocr",),
    "daily, detailed and factual dialogues, vision tasks by template, a system message each",
    steps,
    (DAILY, DETAIL, FACTUAL),
    deviations="four of the twelve vision tasks; captions, labels, boxes and text decide which apply",
)
