"""MIMIC-IT (Syphus): instructions from dense captions of pictures and films, in eight languages, with related examples."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.compose import demonstrations
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import apart, generate, pairs
from vistune.construction.operators.source import share
from vistune.construction.operators.translate import said, translation
from vistune.construction.parsers import question_answer
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, when

LANGUAGES = ("zh", "ja", "ko", "fr", "de", "es", "ar")

ASK = Prompt(
    "ask",
    "conversation",
    f"{UNSEEN} The text may describe moments of a film, in order: then answer as someone who is watching it. Write up to eight "
    "questions that a viewer would ask about what is perceived, why it happens and what to do next, with helpful answers.",
    ("captions", "events"),
    question_answer.FORMAT,
    (
        "What happens:\n0.0-4.0 s: A cook slices onions.\n4.0-9.0 s: Oil heats in a pan.",
        (
            Item.of(("What is being prepared?", "A dish with fried onions, which are sliced while oil is heated for them.")),
            Item.of(("What does the cook do first?", "The cook slices onions.")),
            Item.of(("How long does the slicing take?", "About four seconds of the film show it.")),
            Item.of(("Is it too late to slice more onions?", "No, the oil is still heating, so there is time.")),
            Item.of(("Why is there oil in the pan?", "The onions will be fried in it, and the oil keeps them from sticking.")),
            Item.of(("What should come next?", "The onions can go into the pan now that the oil is hot.")),
            Item.of(
                (
                    "How do I notice that the oil is hot enough?",
                    "It moves like water, and a slice of onion sizzles when it touches the oil.",
                )
            ),
            Item.of(
                (
                    "What should I take care of while the oil heats?",
                    "Stay beside the pan, and turn the heat down if the oil begins to smoke.",
                )
            ),
        ),
    ),
)
TRANSLATE = {language: translation(language) for language in LANGUAGES}


def steps(kit: Kit) -> list[Operator]:
    """Ask, give one in eight samples to each language, put two related samples before each."""
    return [
        generate(kit.writer, ASK, apart, kit.seed),
        share(kit.seed, en=1, **dict.fromkeys(LANGUAGES, 1)),
        when(lambda record: record.task != "en", said()),
        when(lambda record: record.task != "en", generate(kit.writer, TRANSLATE, pairs, kit.seed)),
        *tidy(kit),
        demonstrations(2, seed=kit.seed),
    ]


PIPELINE = Pipeline(
    "MIMIC-IT (Li et al., 2023, section 3)",
    ("captions or events",),
    "instructions about pictures and films in 8 languages, each with up to 2 related ones before it",
    steps,
    (ASK, *TRANSLATE.values()),
)
