"""MosIT (NExT-GPT): scripts in which both sides show pictures, films and sounds, whose captions then become media."""

from __future__ import annotations

from dataclasses import replace

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import must, tidy
from vistune.construction.operators.generate import apart, generate
from vistune.construction.operators.output_media import fill_captioned
from vistune.construction.parsers import media_dialogues
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, each

LEAST, MOST = 3, 7  # exchanges

ASK = Prompt(
    "script",
    "script",
    "A topic and the kinds of media to use are given. Write a dialogue of three to seven exchanges on the topic in which both "
    "sides "
    "show media of these kinds where they help, each as a caption of 10 to 30 words between its tags. The assistant must show "
    "at "
    "least one.",
    ("labels", "tags"),
    media_dialogues.FORMAT,
    (
        "Class:\nmigrating birds\n\nTags:\nimage, audio",
        (
            Item.of(
                (
                    "I saw these today. <Image>a wedge of cranes above a harvested field at dusk</Image>",
                    "Cranes! They sound like this: <Audio>trumpeting calls of many cranes passing overhead</Audio>",
                ),
                ("Where are they going?", "They fly south for the winter."),
                ("Will they be back?", "In spring, when the fields are free of snow."),
            ),
        ),
    ),
    max_tokens=2048,
)


def _assistant_shows(record: Record) -> bool:
    return any(turn.role == "assistant" and media_dialogues.TAG.search(turn.text) for turn in record.turns)


def steps(kit: Kit) -> list[Operator]:
    """Script, checks, media."""
    return [
        each(lambda record: replace(record, media=())),  # labels are all there is, whatever picture they came with
        generate(kit.writer, ASK, apart, kit.seed),
        must("the assistant shows nothing", _assistant_shows),
        must("fewer than three exchanges, or more than seven", lambda record: LEAST <= len(record.turns) // 2 <= MOST),
        fill_captioned(kit),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "MosIT (Wu et al., NExT-GPT, 2023, section 5.2)",
    ("labels",),
    "dialogues with pictures, films and sounds from both sides",
    steps,
    (ASK,),
    parts=("painter",),
)
