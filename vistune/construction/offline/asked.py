"""`Asked`: one prompt about one record of the world, with what a rule needs to answer it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from vistune.construction.boxes import Notation
from vistune.construction.media_files import size_of
from vistune.construction.offline.subjects import Subject, scene_of, subject_of
from vistune.construction.parsers.base import Item
from vistune.construction.prompt import Prompt
from vistune.construction.record import Record
from vistune.sample import Part, Region, Text
from vistune.world.exchange import Exchange, Parts
from vistune.world.scene import Scene


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt, the record it is about, the request's seed, and how many questions a conversation has at most."""

    prompt: Prompt
    record: Record
    seed: int
    turns: int = 6

    def rng(self) -> np.random.Generator:
        """The request's own draws, from their beginning."""
        return np.random.default_rng(self.seed)

    @property
    def scene(self) -> Scene:
        """The picture's truth. Raises `InputError` for what is none of the world's clean pictures."""
        return scene_of(self.record)

    @property
    def subject(self) -> Subject:
        """The truth of whatever the record shows. Raises `InputError` for what is not of the world."""
        return subject_of(self.record)

    @property
    def words_only(self) -> bool:
        """Is the writer shown nothing but texts of earlier passes? Then it knows no positions to write down."""
        return bool(self.prompt.context) and all(kind.startswith("note:") for kind in self.prompt.context)

    def item(self, exchange: Exchange) -> Item:
        """An exchange in the prompt's notation; a choice among options keeps them."""
        pair = (self.words(exchange.question), self.words(exchange.answer))
        return Item.of(pair, choices=exchange.answers) if exchange.topic == "choice" else Item.of(pair)

    def words(self, parts: Parts) -> str:
        """Parts as one text."""
        size = size_of(self.record.media[0]) if any(isinstance(part, Region) for part in parts) else None
        notation = Notation(self.prompt.notation, size, self.prompt.square)
        return "".join(_word(part, notation) for part in parts).strip()


Rule: TypeAlias = Callable[[Asked], Sequence[Item]]
"""The items of a reply; none where the truth gives nothing to say."""


def told(text: str) -> list[Item]:
    """A reply that is one text."""
    return [Item.of(("", text))]


def pairs(spoken: Iterable[tuple[str, str]]) -> list[Item]:
    """A reply of questions and answers, each an item."""
    return [Item.of(pair) for pair in spoken]


def sentence(text: str) -> str:
    """With a capital and a full stop: `Seven.`"""
    ended = text if text.endswith((".", "!", "?")) else f"{text}."
    return ended[:1].upper() + ended[1:]


def _word(part: Part, notation: Notation) -> str:
    if isinstance(part, Text):
        return part.text.replace(": ", ", ")  # a colon and a blank would end a label in some reply formats
    assert isinstance(part, Region), "the tasks mixed into conversations have words and boxes only"
    return notation.write(part.bounds())
