"""AS-1B (All-Seeing): regions get tags, questions and descriptions, and people check what comes out."""

from __future__ import annotations

from dataclasses import replace

from vistune.construction.boxes import Notation
from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import apart, conversation, generate, note
from vistune.construction.operators.label import label
from vistune.construction.operators.place import ground
from vistune.construction.operators.source import fan
from vistune.construction.parsers import free_text, question_answer
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, each, of_task, when
from vistune.sample import Text

_BOX = Notation("unit")

LOOK = Prompt(
    "look",
    "region",
    "Look only at the region named below and describe what it shows in one sentence: kind, looks, state, and what it does.",
    ("note:region",),
    free_text.FORMAT,
    ("a mug [0.100,0.300,0.250,0.500]", (Item.of(("", "A chipped white mug stands on a stack of papers.")),)),
    looks=True,
)
CAPTION = Prompt(
    "caption",
    "region",
    "Turn the observation into one fluent sentence about the region, without speculation.",
    ("note:region", "note:seen"),
    free_text.FORMAT,
    ("a mug [0.100,0.300,0.250,0.500]\n\nwhite mug, papers", (Item.of(("", "A white mug stands on papers.")),)),
    questions=("What does the region {box} show?", "Describe {box}.", "What can be seen in {box}?"),
)
ASK = Prompt(
    "questions",
    "region_questions",
    "Write three questions about the region that the observation answers (kind, attribute, relation or action), with answers. "
    "Call "
    "it 'the region'.",
    ("note:region", "note:seen"),
    question_answer.FORMAT,
    (
        "a mug [0.100,0.300,0.250,0.500]\n\nA white mug stands on papers.",
        (
            Item.of(("What stands in the region?", "A mug stands there.")),
            Item.of(("What colour is the thing in the region?", "It is white.")),
            Item.of(("What is the mug in the region standing on?", "It stands on papers.")),
        ),
    ),
)


def _regions(record: Record) -> list[Record]:
    made = []
    for number, item in enumerate(record.facts.objects):
        box = _BOX.write(item.bounds())
        one = record.with_note("region", f"{item.label} {box}").with_note("box", box)
        made.append(replace(one, id=f"{record.id}/region{number}"))
    return made or [record.rejected("no regions")]


def _point_at(record: Record) -> Record:
    head, *rest = record.turns
    return record.with_turns((replace(head, parts=(Text(f"Region {record.notes['box']}. "), *head.parts)), *rest))


def steps(kit: Kit) -> list[Operator]:
    """Proposals with tags from a detector, an observation by a model that sees, sentences and questions by one that writes."""
    return [
        label(kit, "objects"),
        each(_regions),
        generate(kit.eyes(), LOOK, note("seen"), kit.seed),
        fan("caption", "questions"),
        when(of_task("caption"), generate(kit.writer, CAPTION, conversation, kit.seed)),
        when(of_task("questions"), generate(kit.writer, ASK, apart, kit.seed)),
        when(of_task("questions"), each(_point_at)),
        ground(known=True, least=1),
        *tidy(kit, "the observation"),
    ]


PIPELINE = Pipeline(
    "AS-1B (Wang et al., The All-Seeing Project, 2023, section 3)",
    (),
    "a sentence and three questions per region",
    steps,
    (LOOK, CAPTION, ASK),
    parts=("viewer", "labeler objects"),
)
