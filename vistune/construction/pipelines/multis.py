"""MULTIS (ChatBridge): questions and captions under templates, and chats over pictures, films and sounds."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.augment import state_format
from vistune.construction.operators.filters import count_words, tidy
from vistune.construction.operators.generate import generate
from vistune.construction.operators.source import fan, require
from vistune.construction.operators.template import asked, describe, templates
from vistune.construction.parsers import triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import UNSEEN, Prompt
from vistune.construction.record import Operator, of_task, when

DESCRIBE = ("Describe what you see and hear.", "What is shown or heard here?", "Sum up the content.", "Caption this.")
QUESTIONS = ("{question}", "From what you see and hear: {question}", "Answer the question. {question}")
CHAT = Prompt(
    "chat",
    "conversation",
    f"{UNSEEN} What is heard may be given too: sounds as descriptions, speech as text. Write a conversation of three to five "
    "questions that take both eye and ear into account.",
    ("captions", "tags", "speech", "events"),
    triple_equals.FORMAT,
    (
        "Descriptions:\nA tram turns a corner.\n\nTags:\nsquealing wheels, bell",
        (
            Item.of(
                ("What do we hear while the tram turns?", "Its wheels squeal, and a bell rings."),
                ("Why does it squeal just here?", "It turns a corner, and its wheels rub against the rail in the bend."),
                ("And what is the bell for?", "It warns people that the tram is coming around the corner."),
            ),
        ),
    ),
)


def steps(kit: Kit) -> list[Operator]:
    """Task-specific data by template, a stated answer form where answers are short, and multimodal chat."""
    short = state_format(needs=lambda record: all(count_words(answer) <= 2 for _, answer in record.pairs()))
    return [
        fan("task", "chat"),
        when(of_task("task"), templates(describe(DESCRIBE), asked(QUESTIONS), seed=kit.seed)),
        when(of_task("ask"), short),
        when(of_task("chat"), require("captions")),
        when(of_task("chat"), generate(kit.writer, CHAT, seed=kit.seed)),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "MULTIS (Zhao et al., ChatBridge, 2023, section 4)",
    ("captions or qa",),
    "task-specific pairs by template, multimodal chats",
    steps,
    (CHAT,),
)
