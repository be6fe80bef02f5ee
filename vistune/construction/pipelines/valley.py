"""Valley: LLaVA's three tasks about films, from their captions."""

from __future__ import annotations

from dataclasses import replace

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate
from vistune.construction.operators.source import share
from vistune.construction.parsers import triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.pipelines import llava_instruct
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator

_SHOWN = "Descriptions:\nA boy kicks a ball through a window.\nGlass breaks and children run away."
_FILM = UNSEEN.replace("picture", "film")

CONVERSATION = Prompt(
    "conversation",
    "conversation",
    f"{_FILM} Write a conversation between a person who asks about the film and an assistant who has watched it: who and what "
    "is "
    "in it, what happens in which order, and what follows from what.",
    ("captions",),
    triple_equals.FORMAT,
    (
        _SHOWN,
        (
            Item.of(
                ("Who is in the film?", "A boy and other children."),
                ("What does the boy do with the ball?", "He kicks it through a window."),
                ("What happens after the kick?", "The glass breaks and the children run away."),
                ("Why do they not stay?", "The window broke by the kick, and they fear to be blamed."),
            ),
        ),
    ),
)
DETAIL = replace(
    llava_instruct.DETAIL,
    system=f"{_FILM} Describe the film thoroughly from beginning to end, in connected prose.",
    context=("captions",),
    shot=(
        _SHOWN,
        (
            Item.of(
                (
                    "",
                    "At the beginning a boy kicks a ball, and he is not alone: other children are with him. The ball flies "
                    "straight into a window and goes through it. The glass breaks. As soon as that has happened the game is "
                    "over; all the children turn and run away, and nobody stays to fetch the ball.",
                )
            ),
        ),
    ),
    questions=("Describe this film in detail.", "What happens in the video? Leave nothing out.", "Retell the clip."),
)
REASONING = replace(
    llava_instruct.REASONING,
    system=f"{_FILM} Write one question that takes several steps of thought about what happens, and an answer that takes them.",
    context=("captions",),
    shot=(
        _SHOWN,
        (
            Item.of(
                (
                    "Why do all of them run, and not only the boy who kicked?",
                    "The kick broke a window, which somebody will have to pay for. All of them played with the ball, and "
                    "whoever comes to look will blame those whom they find there. So each child fears to be blamed and runs.",
                )
            ),
        ),
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """One task per film, as Valley-Instruct-73k: 37 K conversations, 10 K descriptions, 26 K with reasoning."""
    prompts = {prompt.name: prompt for prompt in (CONVERSATION, DETAIL, REASONING)}
    return [
        share(kit.seed, conversation=37, detail=10, reasoning=26),
        generate(kit.writer, prompts, seed=kit.seed),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "Valley (Luo et al., 2023, section 3)",
    ("captions",),
    "conversations, descriptions, reasoning about films",
    steps,
    (CONVERSATION, DETAIL, REASONING),
)
