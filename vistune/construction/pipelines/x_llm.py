"""X-LLM: ten thousand conversations over pictures, films and speech, from captions, part of them in Chinese."""

from __future__ import annotations

from dataclasses import replace

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate, pairs
from vistune.construction.operators.source import share
from vistune.construction.operators.translate import said, translation
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.pipelines import llava_instruct
from vistune.construction.prompt import UNSEEN
from vistune.construction.record import Operator, of_task, when

_MEDIA = UNSEEN.replace("picture", "picture, film or recording")

ASK = replace(
    llava_instruct.CONVERSATION,
    name="ask",
    system=f"{_MEDIA} Write a conversation between a person and an assistant about what can be seen and heard.",
    context=("captions", "speech", "events"),
    shot=(
        "Descriptions:\nA woman tunes a violin.\n\nWhat is said:\n0.0-2.0 s: Just a moment, please.",
        (
            Item.of(
                ("Which instrument does she have?", "She has a violin."),
                ("Is she ready to play?", "Not yet: she tunes the violin and asks for a moment."),
                ("How does she ask for it?", "Politely: she says please."),
            ),
        ),
    ),
)
TRANSLATE = translation("zh")


def steps(kit: Kit) -> list[Operator]:
    """Half of the conversations end in Chinese."""
    return [
        generate(kit.writer, ASK, seed=kit.seed),
        share(kit.seed, en=1, zh=1),
        when(of_task("zh"), said()),
        when(of_task("zh"), generate(kit.writer, TRANSLATE, pairs, kit.seed)),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "X-LLM (Chen et al., 2023, section 3.4)",
    ("captions or speech or events",),
    "conversations about pictures, films and speech, in English and Chinese",
    steps,
    (ASK, TRANSLATE),
)
