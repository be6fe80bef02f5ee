"""SVIT: 4.2 million questions about Visual Genome pictures, with captions, objects and region descriptions for context."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import Apply, apart, conversation, generate, groups
from vistune.construction.operators.place import ground, strip_tags
from vistune.construction.operators.source import fan, measure
from vistune.construction.parsers import free_text, question_answer_lines
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, of_task, when

_KNOWN = ("captions", "objects", "regions")
_SHOWN = (
    "Descriptions:\nA man repairs a bicycle.\n\nObjects and where they are:\nman: [0.200,0.150,0.610,0.900]\n"
    "bicycle: [0.450,0.400,0.900,0.880]\n\nRegions and where they are:\na flat rear tyre: [0.700,0.600,0.890,0.870]"
)

CONVERSATION = Prompt(
    "conversation",
    "conversation",
    f"{UNSEEN} Write three conversations of five questions and answers each about the picture: one about the things in it and "
    "their looks, one about their number and places, one about what is going on. Only ask what can be answered with certainty.",
    _KNOWN,
    question_answer_lines.FORMAT,
    (_SHOWN, tuple(Item.of((f"What is thing number {n}?", "A part of the bicycle.")) for n in range(1, 16))),
    square=True,
    max_tokens=2048,
)
REASONING = Prompt(
    "reasoning",
    "reasoning",
    f"{UNSEEN} Write fifteen questions that ask for reasons, intentions, consequences or knowledge of the world, each "
    "answerable "
    "from the picture by someone who thinks about it, with answers that give their grounds.",
    _KNOWN,
    question_answer_lines.FORMAT,
    (_SHOWN, (Item.of(("Why has he stopped?", "The rear tyre is flat, so he cannot ride on.")),)),
    square=True,
    max_tokens=2048,
)
DETAIL = Prompt(
    "detail",
    "detail",
    f"{UNSEEN} Describe the picture from its main subject to its margins, in several paragraphs.",
    _KNOWN,
    free_text.FORMAT,
    (_SHOWN, (Item.of(("", "A man kneels beside a bicycle whose rear tyre is flat.")),)),
    square=True,
    questions=("Describe the image thoroughly.", "What is in this picture? Answer at length.", "Give a detailed account."),
)
REFERRING = Prompt(
    "referring",
    "referring",
    f"{UNSEEN} Write ten questions and answers that point at things: wherever a thing is named that has a position, write its "
    "name "
    "between <st> and <ed> and its position after it, as given.",
    _KNOWN,
    question_answer_lines.FORMAT,
    (_SHOWN, (Item.of(("What does the <st>man<ed> [0.200,0.150,0.610,0.900] hold?", "He holds a tyre lever.")),)),
    square=True,
    max_tokens=2048,
)


def steps(kit: Kit) -> list[Operator]:
    """All four tasks about every picture; positions refer to the picture padded to a square, three decimals.

    Every writer sees the positions, so that any of them may cite one.
    """

    def ask(prompt: Prompt, then: Apply) -> Operator:
        return when(of_task(prompt.name), generate(kit.writer, prompt, then, kit.seed))

    return [
        measure(),
        fan("conversation", "reasoning", "detail", "referring"),
        ask(CONVERSATION, groups(5)),
        ask(REASONING, apart),
        ask(DETAIL, conversation),
        ask(REFERRING, apart),
        when(of_task("referring"), ground(square=True, known=True, least=1)),
        when(of_task("conversation", "reasoning", "detail"), ground(square=True, known=True)),
        strip_tags("st", "ed"),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "SVIT (Zhao et al., 2023, section 3)",
    ("captions", "objects"),
    "3 conversations of 5 questions, 15 reasoning and 10 referring questions, 1 description per picture",
    steps,
    (CONVERSATION, REASONING, DETAIL, REFERRING),
)
