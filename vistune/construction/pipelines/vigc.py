"""VIGC: a multimodal model generates questions and answers, and corrects the answer by looking again, sentence by sentence."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.trained import question_then_answer
from vistune.construction.parsers import free_text
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator

ROUNDS = 3

ASK = Prompt(
    "question",
    "question",
    "Generate a question about the picture that takes some thought to answer.",
    (),
    free_text.FORMAT,
    ("", (Item.of(("", "Why might the road be closed?")),)),
    looks=True,
)
TELL = Prompt(
    "answer",
    "answer",
    "Answer the question from the picture, beginning with the most certain sentence.",
    ("note:question",),
    free_text.FORMAT,
    ("Why might the road be closed?", (Item.of(("", "A tree has fallen across it. It looks like a storm.")),)),
    looks=True,
)
CORRECT = Prompt(
    "correct",
    "answer",
    "Look at the picture again. Give the next sentence of the answer, and only what can be seen or safely concluded. If there "
    "is "
    "nothing to add, repeat the last sentence.",
    ("note:question", "note:answer"),
    free_text.FORMAT,
    ("Why might the road be closed?\n\nA tree has fallen across it.", (Item.of(("", "Workers are sawing its branches.")),)),
    looks=True,
)


def steps(kit: Kit) -> list[Operator]:
    """Generation, then correction in rounds of one sentence."""
    return [*question_then_answer(kit, ASK, TELL, CORRECT, ROUNDS), *tidy(kit)]


PIPELINE = Pipeline(
    "VIGC (Wang et al., 2023, section 3)",
    (),
    "questions and corrected answers",
    steps,
    (ASK, TELL, CORRECT),
    parts=("viewer",),
    deviations="any model that sees pictures serves; the paper tunes InstructBLIP for generation first",
)
