"""DetGPT: queries that describe a wish, answers that name the objects which fulfil it, for detection by reasoning."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import must, tidy
from vistune.construction.operators.generate import apart, generate, note
from vistune.construction.operators.place import no_boxes
from vistune.construction.parsers import free_text, question_answer
from vistune.construction.parsers.base import Item
from vistune.construction.parsers.target_names import names
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, Record, each

_OBJECTS = "Objects: fridge, kettle, stove, table, chair"
_KITCHEN = (
    f"Descriptions:\nA small kitchen.\nA tall fridge beside a stove with a kettle on it.\nA table with one chair.\n\n{_OBJECTS}"
)
_ACCOUNT = (
    "The picture shows a small kitchen. A tall fridge stands beside a stove, and on the stove there is a kettle, as if "
    "somebody were about to make tea. In the same room is a table with a single chair, where one person can sit down and "
    "eat. The fridge is the largest thing in the room; fridge and stove, kettle, table and chair together make a place in "
    "which food is kept, cooked and eaten."
)

DESCRIBE = Prompt(
    "describe",
    "detail",
    f"{UNSEEN} Describe the picture at length, and mention every one of the named objects.",
    ("captions", "note:names"),
    free_text.FORMAT,
    (_KITCHEN, (Item.of(("", _ACCOUNT)),)),
)
ASK = Prompt(
    "queries",
    "wishes",
    f"{UNSEEN} Write six requests of a person with a wish or a need who does not say which thing would serve it. Each answer "
    "thinks "
    "aloud and ends with 'Therefore the answer is [names]', with the names, as given, of all objects that serve it.",
    ("note:description", "note:names"),
    question_answer.FORMAT,
    (
        f"{_ACCOUNT}\n\n{_OBJECTS}",
        (
            Item.of(
                (
                    "I have come in from the heat and would like something cold to drink.",
                    "Cold drinks are kept in a fridge, and there is one beside the stove. Therefore the answer is [fridge]",
                )
            ),
            Item.of(
                (
                    "My tea should be ready in five minutes. What can I heat the water with?",
                    "Water is heated in a kettle, which is put on the stove. Therefore the answer is [kettle, stove]",
                )
            ),
            Item.of(
                (
                    "I would like to eat at leisure and not standing.",
                    "One sits down on a chair and puts the plate on a table. Therefore the answer is [chair, table]",
                )
            ),
            Item.of(
                (
                    "The milk must not turn sour before tomorrow.",
                    "Milk keeps in the cold, and the fridge is cold. Therefore the answer is [fridge]",
                )
            ),
            Item.of(
                ("I want to fry two eggs.", "Eggs are fried over heat, which the stove gives. Therefore the answer is [stove]")
            ),
            Item.of(
                (
                    "Where can I put down this heavy bag for a moment?",
                    "A bag can be put on a table, or on the seat of a chair. Therefore the answer is [table, chair]",
                )
            ),
        ),
    ),
)


def _names(record: Record) -> Record:
    """The paper shows the names of the categories, and no positions."""
    return record.with_note("names", f"Objects: {', '.join(dict.fromkeys(item.label or '' for item in record.facts.objects))}")


def _named_objects_exist(record: Record) -> bool:
    known = {region.label.lower() for region in record.facts.objects if region.label}
    named = [name.lower() for name in names(record.turns[-1].text)]
    return bool(named) and set(named) <= known


def steps(kit: Kit) -> list[Operator]:
    """Describe, then ask; an answer must name objects that are there."""
    return [
        each(_names),
        generate(kit.writer, DESCRIBE, note("description"), kit.seed),
        generate(kit.writer, ASK, apart, kit.seed),
        must("names no known object", _named_objects_exist),
        no_boxes(),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "DetGPT (Pi et al., 2023, section 3.2)",
    ("captions", "objects"),
    "six requests per picture, with reasoning and the names of the targets",
    steps,
    (DESCRIBE, ASK),
)
