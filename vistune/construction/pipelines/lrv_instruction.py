"""LRV-Instruction: sixteen tasks with positive instructions, and negatives about what is not there."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import apart, generate
from vistune.construction.operators.place import ground
from vistune.construction.operators.source import fan, measure
from vistune.construction.parsers import instruction_reason
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator

TASKS = (
    "describing the picture, judging its quality, naming objects, reading text, counting, telling colours, telling positions, "
    "telling actions, recognising scenes, recognising relations, spotting what is odd, reasoning about causes, recalling "
    "facts, "
    "answering yes or no, completing a statement, comparing two things"
)
_SHOWN = (
    "Regions and where they are:\na red kite X: 12 Y: 8 Width: 60 Height: 44\na boy on a dune X: 90 Y: 120 Width: 40 Height: 80"
)

POSITIVE = Prompt(
    "positive",
    "conversation",
    f"{UNSEEN} Positions are in pixels. Write ten instructions and their answers, spread over these tasks: {TASKS}. Phrase "
    "some as "
    "questions and some as requests or statements to complete. Every answer must follow from the regions.",
    ("captions", "regions", "objects"),
    instruction_reason.FORMAT,
    (
        _SHOWN,
        (
            Item.of(("Describe the picture.", "A boy stands on a dune, and a red kite flies above him.")),
            Item.of(("Name the colour of the kite.", "The kite is red.")),
            Item.of(("How many boys are there?", "There is one boy.")),
            Item.of(("Where is the kite X: 12 Y: 8 Width: 60 Height: 44?", "It is in the upper left corner of the picture.")),
            Item.of(("What does the boy X: 90 Y: 120 Width: 40 Height: 80 do?", "He stands on a dune.")),
            Item.of(("Which kind of scene is this?", "It is a dune, out of doors.")),
            Item.of(("Is the boy below the kite?", "Yes, the boy is lower in the picture than the kite.")),
            Item.of(("The kite is higher than the boy because", "the wind carries it.")),
            Item.of(
                (
                    "Compare the height of the boy and of the kite in the picture.",
                    "The boy is taller: he measures 80 pixels from top to bottom, the kite 44.",
                )
            ),
            Item.of(("What does a kite need to fly?", "It needs wind.")),
        ),
    ),
    notation="pixels",
)
NEGATIVE = Prompt(
    "negative",
    "negative",
    f"{UNSEEN} Positions are in pixels. Write six misleading instructions, some as questions and some as statements: two about "
    "things that are not in the picture, two that give a thing in it a wrong attribute or action, two that rest on false "
    "knowledge about it. The reason is the answer: it says what is wrong and what is true of the picture instead.",
    ("captions", "regions", "objects"),
    instruction_reason.FORMAT,
    (
        _SHOWN,
        (
            Item.of(("What is the dog next to the boy doing?", "There is no dog; the boy stands on the dune alone.")),
            Item.of(
                (
                    "Describe the lighthouse behind the dune.",
                    "There is no lighthouse; the picture has a dune, a boy and a kite.",
                )
            ),
            Item.of(("Why is the kite blue?", "The kite is not blue, it is red.")),
            Item.of(("The boy sleeps on the dune.", "The boy does not sleep: he stands on the dune.")),
            Item.of(
                (
                    "Kites fly by engines, so say where this one's engine is.",
                    "Kites have no engines; this red kite is carried by the wind.",
                )
            ),
            Item.of(
                (
                    "Dunes are made of snow. How deep is the snow here?",
                    "Dunes are made of sand, so the boy stands on sand, not on snow.",
                )
            ),
        ),
    ),
    notation="pixels",
)


def steps(kit: Kit) -> list[Operator]:
    """Positive and negative instructions about every picture, one sample each."""
    prompts = {"positive": POSITIVE, "negative": NEGATIVE}
    return [
        measure(),
        fan("positive", "negative"),
        generate(kit.writer, prompts, apart, kit.seed),
        ground("pixels", known=True),
        *tidy(kit, most=60),
    ]


PIPELINE = Pipeline(
    "LRV-Instruction (Liu et al., 2023, section 3)",
    ("regions or objects",),
    "positive instructions of 16 tasks, negative ones (absent things, wrong attributes, wrong knowledge)",
    steps,
    (POSITIVE, NEGATIVE),
)
