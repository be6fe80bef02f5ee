"""Macaw-LLM's instructions: one turn each, from captions of pictures (COCO) and films (Charades, AVSD)."""

from __future__ import annotations

import re

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import must, tidy
from vistune.construction.operators.generate import apart, generate
from vistune.construction.operators.place import no_boxes
from vistune.construction.parsers import question_answer
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, Record

ASK = Prompt(
    "ask",
    "words",
    f"{UNSEEN.replace('picture', 'picture or film')} Write ten instructions that a person might give about it, questions, "
    "requests and tasks of many kinds, each with its response.",
    ("captions", "qa"),
    question_answer.FORMAT,
    (
        "Descriptions:\nA man folds a towel and laughs at his phone.",
        (
            Item.of(("What amuses the man?", "He laughs at something that his phone shows.")),
            Item.of(("Describe the scene in one sentence.", "A man who folds a towel laughs about his phone.")),
            Item.of(("What is he folding?", "He folds a towel.")),
            Item.of(("Which household chore is being done?", "The laundry is being folded and put in order.")),
            Item.of(("Is the man alone or in company?", "He is the only person to be seen.")),
            Item.of(("Give the scene a title.", "Laundry with a joke.")),
            Item.of(("Which mood is he in?", "He is cheerful, for he laughs.")),
            Item.of(("Write the message that he may have read.", "You will never guess who has just fallen into the pond!")),
            Item.of(("What could he do next?", "He could answer the message, or fold the next towel.")),
            Item.of(
                (
                    "Explain how to fold a towel as he does.",
                    "Lay it flat, put one half on the other, and repeat until it fits the shelf.",
                )
            ),
        ),
    ),
    max_tokens=2048,
)
_LEFT_OUT = re.compile(r"caption| no | not", re.IGNORECASE)


def _kept(record: Record) -> bool:
    return not any(_LEFT_OUT.search(turn.text) for turn in record.turns)


def steps(kit: Kit) -> list[Operator]:
    """Ask; what speaks of a caption or denies something is left out, as the released data has it."""
    return [
        generate(kit.writer, ASK, apart, kit.seed),
        must("speaks of a caption, or denies", _kept),
        no_boxes(),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "Macaw-LLM (Lyu et al., 2023, section 4)",
    ("captions",),
    "ten instructions of one turn per picture or film",
    steps,
    (ASK,),
    deviations="a film's known questions (AVSD) are shown beside its description",
)
