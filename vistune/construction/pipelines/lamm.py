"""LAMM: daily and factual dialogues, descriptions, and vision tasks by template, each under a system message of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from vistune.construction.boxes import Notation
from vistune.construction.context import write_point, write_volume
from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate
from vistune.construction.operators.place import ground
from vistune.construction.operators.source import require
from vistune.construction.operators.template import Filled, Template, asked, describe, templates, with_system
from vistune.construction.parsers import free_text, triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, Record, each, of_task, when

_BOX = Notation("unit")
_SHOWN = "Descriptions:\nA heron stands in shallow water.\nA grey bird at the reedy shore of a lake."

DAILY = Prompt(
    "daily",
    "conversation",
    f"{UNSEEN} Write a friendly everyday conversation of several turns about the picture.",
    ("captions", "objects"),
    triple_equals.FORMAT,
    (
        _SHOWN,
        (
            Item.of(
                ("What bird is that?", "It is a heron, standing in the shallows."),
                ("Pretty! Where do you think it was taken?", "At a lake: there are reeds along the shore."),
                (
                    "I would never have noticed it there.",
                    "It is easily missed, since a grey bird that keeps still looks much like a reed.",
                ),
            ),
        ),
    ),
)
DETAIL = Prompt(
    "detail",
    "detail",
    f"{UNSEEN} Describe the picture in detail.",
    ("captions", "objects"),
    free_text.FORMAT,
    (
        _SHOWN,
        (
            Item.of(
                (
                    "",
                    "The picture shows a heron, a grey bird, that stands in shallow water. It is the only animal to be seen. "
                    "Around it lies the shore of a lake, where reeds grow. The water is so shallow that the bird stands in "
                    "it on its legs.",
                )
            ),
        ),
    ),
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
        f"{_SHOWN}\n\nBackground:\nHerons feed mainly on fish. They nest in colonies in tall trees.",
        (
            Item.of(
                ("What does the bird in the water live on?", "It is a heron, and herons live mainly on fish."),
                ("Does it breed in these reeds?", "Hardly: herons nest in tall trees."),
                ("Would its nest be the only one there?", "No, herons breed in colonies."),
            ),
        ),
    ),
)
_PROMPTS = {prompt.name: prompt for prompt in (DAILY, DETAIL, FACTUAL)}


def _boxes(record: Record) -> list[Filled]:
    listed = "; ".join(f"{item.label} {_BOX.write(item.bounds())}" for item in record.facts.objects)
    return [Filled.of(listed)] if listed else []


def _classes(record: Record) -> list[Filled]:
    return [Filled.of(label) for label in record.facts.labels[:1]]


def _finer(record: Record) -> list[Filled]:
    return [Filled.of(label) for label in record.facts.labels[1:2]]


def _features(record: Record) -> list[Filled]:
    faces = any((item.label or "").casefold() == "face" for item in record.facts.objects)
    return [Filled.of(tag) for tag in record.facts.tags[:1]] if faces else []


def _counts(record: Record) -> list[Filled]:
    counts = Counter(item.label or "" for item in record.facts.objects)
    return [Filled.of(str(count), name=name) for name, count in counts.items()]


def _points(record: Record) -> list[Filled]:
    return [Filled.of(write_point(item), name=item.label or "") for item in record.facts.keypoints]


def _texts(record: Record) -> list[Filled]:
    return [Filled.of(" ".join(item.label or "" for item in record.facts.ocr))] if record.facts.ocr else []


def _volumes(record: Record) -> list[Filled]:
    listed = "; ".join(f"{item.text} {write_volume(item)}" for item in record.facts.volumes)
    return [Filled.of(listed)] if listed else []


def _find_in_space(record: Record) -> list[Filled]:
    counts = Counter(item.text for item in record.facts.volumes)
    return [Filled.of(write_volume(item), name=item.text) for item in record.facts.volumes if counts[item.text] == 1]


IMAGE_TASKS = (
    Template("classification", ("Which class does the picture belong to?", "Classify the image."), _classes),
    Template("fine_grained_classification", ("Which kind exactly is this?", "Name the finer class."), _finer),
    Template("facial_classification", ("Which feature does the face have?", "Describe the face in a word."), _features),
    Template("detection", ("List every object with its position.", "Find all objects and give their boxes."), _boxes),
    Template("counting", ("How many of {name} are there?", "Count what is called {name}."), _counts),
    Template("keypoints", ("Where is the point {name}?", "Give the place of the point {name}."), _points),
    Template("ocr", ("Read the text in the picture.", "What is written here?"), _texts),
    describe(("Caption the picture.", "Describe the picture in one sentence."), "captioning"),
    asked(("{question}", "Answer this about the picture. {question}"), "vqa"),
)
SPACE_TASKS = (
    Template("detection_3d", ("List every object of the scene with its box.", "Find all objects in space."), _volumes),
    Template("grounding_3d", ("Where in space is the {name}?", "Give the box of the {name}."), _find_in_space),
    asked(("{question}", "Answer this about the scene. {question}"), "vqa_3d"),
)
"""The twelve vision tasks: nine on pictures, three on point clouds (section 3.1)."""
SYSTEM = {
    "daily": "You chat about pictures with people.",
    "detail": "You describe pictures thoroughly.",
    "factual": "You explain what pictures show and what is known about it.",
    "classification": "You classify pictures: answer with the class.",
    "fine_grained_classification": "You tell closely related kinds apart: answer with the finer class.",
    "facial_classification": "You judge features of faces: answer with the feature.",
    "detection": "You find objects: answer with names and boxes.",
    "counting": "You count objects: answer with a number.",
    "keypoints": "You find points of bodies: answer with x and y as parts of the picture.",
    "ocr": "You read text in pictures: answer with the text.",
    "captioning": "You caption pictures: answer with one sentence.",
    "vqa": "You answer questions about pictures.",
    "detection_3d": "You find objects in point clouds: answer with names and boxes as middle and sides.",
    "grounding_3d": "You find the object that is meant in a point cloud: answer with its box as middle and sides.",
    "vqa_3d": "You answer questions about point clouds.",
}


def steps(kit: Kit) -> list[Operator]:
    """Three kinds of dialogue about pictures, and the vision tasks that the annotations allow."""
    return [
        each(_tasks),
        when(of_task("daily", "detail"), require("captions")),
        when(of_task("factual"), require("captions", "knowledge")),
        when(of_task(*_PROMPTS), generate(kit.writer, _PROMPTS, seed=kit.seed)),
        when(_on_a_cloud, templates(*SPACE_TASKS, seed=kit.seed)),
        when(of_task("vision"), templates(*IMAGE_TASKS, seed=kit.seed)),
        when(of_task(*_PROMPTS), ground(known=True)),
        when(of_task("detection"), ground()),
        *tidy(kit),
        with_system(SYSTEM),
    ]


def _tasks(record: Record) -> list[Record]:
    """Dialogues are about pictures; of point clouds there are vision tasks alone."""
    names = ["space"] if any(medium.kind == "points" for medium in record.media) else [*_PROMPTS, "vision"]
    return [replace(record, id=f"{record.id}/{name}", task=name) for name in names]


_on_a_cloud = of_task("space")


PIPELINE = Pipeline(
    "LAMM (Yin et al., 2023, section 3)",
    ("captions or objects or labels or ocr or qa or keypoints or volumes",),
    "daily, detailed and factual dialogues, twelve vision tasks on pictures and point clouds, a system message each",
    steps,
    (DAILY, DETAIL, FACTUAL),
    deviations="captions, labels, boxes, points, text and questions decide what applies; a second label is the finer class",
)
