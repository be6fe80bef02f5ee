"""LLaVA-Instruct-158K: conversations, detailed descriptions and reasoning from captions and boxes."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate
from vistune.construction.operators.place import ground
from vistune.construction.operators.source import share
from vistune.construction.parsers import free_text, triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator

_SHOWN = "Descriptions:\nTwo dogs chase a yellow ball across wet grass.\nA brown dog reaches for a ball."
_BOXES = f"{_SHOWN}\n\nObjects and where they are:\ndog: [0.105,0.310,0.480,0.900]\nball: [0.510,0.640,0.580,0.740]"

CONVERSATION = Prompt(
    "conversation",
    "conversation",
    f"{UNSEEN} Make up a conversation between a person who asks about the picture and an assistant who sees it: what is there, "
    "how many, which colour, what happens, where things are in relation to each other. Ask only what has one certain answer, "
    "and let one or two questions ask for knowledge beyond the picture that its content invites.",
    ("captions",),
    triple_equals.FORMAT,
    (
        _SHOWN,
        (
            Item.of(
                ("How many dogs are there?", "There are two dogs."),
                ("What are they running after?", "They run after a yellow ball."),
                ("Which colour is the dog that reaches for it?", "It is brown."),
                ("What is the ground like?", "It is grass, and it is wet."),
                ("Why do dogs like to run after balls?", "A ball that flees wakes their instinct to hunt."),
            ),
        ),
    ),
)

DETAIL = Prompt(
    "detail",
    "detail",
    f"{UNSEEN} Describe the whole picture thoroughly in connected prose: the things in it, their number, appearance, actions "
    "and "
    "places. Use the positions to say where things are, but write no numbers for them.",
    ("captions", "objects"),
    free_text.FORMAT,
    (
        _BOXES,
        (
            Item.of(
                (
                    "",
                    "Two dogs chase a ball across a stretch of wet grass. One of them, a brown dog, takes up most of the "
                    "left half of the picture, from above its middle almost down to the lower edge, and reaches for the "
                    "ball. The ball is yellow and small beside the dogs; it is a little right of the middle, in the lower "
                    "half, just in front of the brown dog. Everything is in motion, and the game is about to be decided.",
                )
            ),
        ),
    ),
    questions=(
        "Describe this picture in detail.",
        "What can be seen here? Leave nothing out.",
        "Give a full account of the image.",
        "Walk me through everything in this picture.",
    ),
)

REASONING = Prompt(
    "reasoning",
    "reasoning",
    f"{UNSEEN} Write one question whose answer takes several steps of thought about what the picture shows (why, what next, "
    "what "
    "follows, how the things relate), and an answer that goes through these steps and comes to a conclusion.",
    ("captions", "objects"),
    triple_equals.FORMAT,
    (
        _BOXES,
        (
            Item.of(
                (
                    "Will the dogs keep their footing if they turn sharply?",
                    "They run on grass, and the grass is wet, which makes it slippery. In full chase they are fast, and the "
                    "faster they are the more grip a sharp turn takes. So they may well slip when they turn after the ball.",
                )
            ),
        ),
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """One task per picture, in the published proportions of 58, 23 and 77 thousand."""
    prompts = {prompt.name: prompt for prompt in (CONVERSATION, DETAIL, REASONING)}
    return [
        share(kit.seed, conversation=58, detail=23, reasoning=77),
        generate(kit.writer, prompts, seed=kit.seed),
        ground(known=True),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "LLaVA-Instruct (Liu et al., Visual Instruction Tuning, 2023, section 3)",
    ("captions", "objects"),
    "conversations, detailed descriptions, reasoning",
    steps,
    (CONVERSATION, DETAIL, REASONING),
    deviations="one demonstration per task instead of two or three; boxes in a reply become regions instead of being forbidden",
)
