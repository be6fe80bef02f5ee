"""GRIT (Ferret): refer and ground by template, dialogues with boxes by a model, and categories that are not there."""

from __future__ import annotations

from vistune.construction.boxes import Notation
from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate
from vistune.construction.operators.negatives import Vocabulary, absent_at_place, absent_objects
from vistune.construction.operators.place import ground
from vistune.construction.operators.source import fan
from vistune.construction.operators.template import Filled, Template, templates
from vistune.construction.parsers import triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, Record, of_task, when

_BOX = Notation("thousandths")
NAME = ("What is the object at {box}?", "Identify what {box} encloses.", "Which category does the thing in {box} belong to?")
FIND = ("Where is the {name}?", "Locate the {name}.", "Point out the {name} in the picture.")
DESCRIBE = ("Describe the region {box}.", "What is going on in {box}?", "Say in a phrase what {box} shows.")
RELATE = ("How does the {subject} relate to the {object}?", "What connects the {subject} and the {object}?")

DIALOGUE = Prompt(
    "dialogue",
    "conversation",
    f"{UNSEEN} Write a conversation of three or four questions about things and how they relate. Put a thing's position, as "
    "given, "
    "after its name in at least one question and in every answer that names it.",
    ("captions", "objects", "relations", "regions"),
    triple_equals.FORMAT,
    (
        "Descriptions:\nA kettle stands on a stove.\n\nObjects and where they are:\nkettle: [100, 220, 340, 560]\n"
        "stove: [60, 540, 620, 980]",
        (
            Item.of(
                (
                    "What stands on the stove [60, 540, 620, 980]?",
                    "A kettle [100, 220, 340, 560] stands on the stove [60, 540, 620, 980].",
                ),
                (
                    "How does the kettle [100, 220, 340, 560] compare to it in size?",
                    "The stove [60, 540, 620, 980] is much larger than the kettle [100, 220, 340, 560].",
                ),
                (
                    "What may happen next?",
                    "If the stove [60, 540, 620, 980] is on, the water in the kettle [100, 220, 340, 560] will boil.",
                ),
            ),
        ),
    ),
    notation="thousandths",
)


def _unique(record: Record) -> list[Filled]:
    names = [region.label for region in record.facts.objects]
    single = [region for region in record.facts.objects if names.count(region.label) == 1]
    return [Filled.of(_BOX.write(region.bounds()), name=region.label or "") for region in single]


_TEMPLATES = (
    Template("name", NAME, lambda r: [Filled.of(o.label or "", box=_BOX.write(o.bounds())) for o in r.facts.objects]),
    Template("find", FIND, _unique),
    Template("region", DESCRIBE, lambda r: [Filled.of(o.label or "", box=_BOX.write(o.bounds())) for o in r.facts.regions]),
    Template(
        "relation",
        RELATE,
        lambda r: [
            Filled.of(f"The {i.subject} {i.predicate} the {i.object}.", subject=i.subject, object=i.object)
            for i in r.facts.relations
        ],
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """Templates and a dialogue for every picture, then negatives conditioned on the picture and on what goes together."""
    vocabulary = Vocabulary()
    return [
        fan("dialogue", "template", "place", "absent"),
        when(of_task("dialogue"), generate(kit.writer, DIALOGUE, seed=kit.seed)),
        when(of_task("template"), templates(*_TEMPLATES, seed=kit.seed)),
        when(of_task("place"), absent_at_place(vocabulary, _BOX, kit.seed)),
        when(of_task("absent"), absent_objects(vocabulary, ("adversarial",), 2, kit.seed)),
        ground("thousandths", known=True),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "GRIT (You et al., Ferret, 2023, section 4)",
    ("captions", "objects"),
    "naming, finding, region and relation templates, grounded dialogues, absent categories",
    steps,
    (DIALOGUE,),
)
