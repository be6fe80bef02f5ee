"""MM-IT (AnyMAL): instructions people wrote, and many more that a language model writes from captions and boxes."""

from __future__ import annotations

from dataclasses import replace

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import matches_picture, tidy
from vistune.construction.operators.generate import apart, generate
from vistune.construction.operators.place import ground
from vistune.construction.operators.template import asked, templates
from vistune.construction.parsers import question_answer
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, Record, each, of_task, when

ASK = Prompt(
    "synthetic",
    "conversation",
    f"{UNSEEN} Write four questions that a curious person would ask on seeing it, each of which needs the picture and some "
    "thought, "
    "with answers. Do not ask what the answer's first words would already give away.",
    ("captions", "objects"),
    question_answer.FORMAT,
    (
        "Descriptions:\nA cellist plays in a subway station.\nAn open case with coins lies before her.",
        (
            Item.of(("Why might people stop here?", "A cellist plays, and music is rare in a subway station.")),
            Item.of(
                (
                    "Does she play for pleasure alone?",
                    "Hardly, since coins lie in the open case before her and passers-by pay her.",
                )
            ),
            Item.of(
                (
                    "How would this sound different in a concert hall?",
                    "Trains and steps would be missing, and the hard walls of the station would no longer echo.",
                )
            ),
            Item.of(("How did these coins come here?", "People who liked the music threw them into her case.")),
        ),
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """People's questions as they are, where the data has some, beside the model's."""
    return [
        each(_both),
        when(of_task("human"), templates(asked(name="human"), seed=kit.seed)),
        when(of_task("synthetic"), generate(kit.writer, ASK, apart, kit.seed)),
        when(of_task("synthetic"), ground(known=True)),
        matches_picture(kit, 0.2),
        *tidy(kit),
    ]


def _both(record: Record) -> list[Record]:
    tasks = [task for kind, task in (("qa", "human"), ("captions", "synthetic")) if record.facts.has(kind)]
    return [replace(record, id=f"{record.id}/{task}", task=task) for task in tasks]


PIPELINE = Pipeline(
    "MM-IT (Moon et al., AnyMAL, 2023, section 3.3)",
    ("captions or qa",),
    "questions by people and by a language model",
    steps,
    (ASK,),
)
