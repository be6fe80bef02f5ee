"""`Prompt`: one task put before a language model, and `Ask`, the request it becomes for a record."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal, TypeAlias

from vistune.completer import Message, Request
from vistune.construction.boxes import Notation, NotationName
from vistune.construction.context import block
from vistune.construction.parsers.base import Format, Item
from vistune.construction.record import Record
from vistune.errors import InputError

Kind: TypeAlias = Literal[
    "conversation",
    "detail",
    "reasoning",
    "referring",
    "plan",
    "multiple_choice",
    "summary",
    "tool",
    "caption",
    "negative",
    "rewrite",
    "translate",
    "question",
    "answer",
    "album",
    "answer_several",
    "background",
    "continuation",
    "distort",
    "gallery",
    "guess",
    "painted",
    "painting",
    "pointing",
    "pointing_pairs",
    "pointing_several",
    "reading",
    "region",
    "region_questions",
    "repair",
    "request",
    "script",
    "wishes",
    "words",
]

UNSEEN = (
    "You cannot see the picture: what you know of it is given as text. Write as someone who looks at it, state only what the "
    "text supports, and never mention that you were given a text."
)


class NothingToShowError(InputError):
    """A record has nothing of what a prompt shows; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A task for a language model, in our own words.

    name:      the step's name in statistics; the task's name when a pipeline has several
    kind:      what is asked for (the offline completer knows some kinds)
    system:    the task
    context:   the kinds of facts shown, in order; `note:NAME` shows a note
    format:    the reply's format; its instruction is appended to the task
    shot:      one demonstration: a context and the items of a good reply
    notation:  how boxes are written; square: after padding the picture to a square
    questions: for a reply that is only an answer: the questions to draw from, with `{name}` filled from notes
    language:  what the reply must be in
    looks:     show the record's pictures as well
    """

    name: str
    kind: Kind
    system: str
    context: tuple[str, ...]
    format: Format
    shot: tuple[str, tuple[Item, ...]]
    notation: NotationName = "unit"
    square: bool = False
    questions: tuple[str, ...] = ()
    language: str = "en"
    looks: bool = False
    max_tokens: int = 1024
    temperature: float = 0.7

    def messages(self, record: Record) -> tuple[Message, ...]:
        """System, demonstration, and the record's context.

        Raises `NothingToShowError` for a prompt that looks at a record without a picture, and when the context is empty.
        """
        shown, items = self.shot
        notation = Notation(self.notation, record.size, self.square)
        pictures = tuple(medium for medium in record.media if medium.kind == "image") if self.looks else ()
        if self.looks and not pictures:
            raise NothingToShowError("image")
        told = block(record, self.context, notation)
        if self.context and not told and not pictures:
            raise NothingToShowError(" or ".join(self.context))
        return (
            Message("system", f"{self.system}\n\n{self.format.instruction}"),
            Message("user", shown),
            Message("assistant", self.format.write(items)),
            Message("user", told, pictures),
        )

    def ask(self, record: Record, seed: int) -> Ask:
        """The request for a record."""
        draw = random.Random(f"{seed}:{self.name}:{record.id}").randrange(2**31)
        return Ask(self.messages(record), self.max_tokens, self.temperature, draw, id=record.id, prompt=self, record=record)


@dataclass(frozen=True, slots=True)
class Ask(Request):
    """A request that remembers what it was made from, for completers that work from facts instead of text.

    Neither field is part of the key: everything a language model sees is in the messages.
    """

    prompt: Prompt | None = None
    record: Record | None = None
