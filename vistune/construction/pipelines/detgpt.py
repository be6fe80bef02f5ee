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

DESCRIBE = Prompt(
    "describe",
    "detail",
    f"{UNSEEN} Describe the picture at length, and mention every one of the named objects.",
    ("captions", "note:names"),
    free_text.FORMAT,
    ("Descriptions:\nA kitchen.\n\nObjects: fridge", (Item.of(("", "A tall fridge.")),)),
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
        "A kitchen with a tall fridge.\n\nObjects: fridge",
        (Item.of(("Where can I get something cold?", "Cold food is kept in the fridge. Therefore the answer is [fridge]")),),
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
