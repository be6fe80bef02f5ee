"""`Exchange`: what a task gives, one question about a scene with its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from vistune.sample import Box, Part, Region, Text
from vistune.world.scene import Scene

Parts: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, as parts of a `Turn`.

    `answers` is every accepted answer in words (empty when the answer is a region). `topic` is what is asked whatever the
    wording, so that a conversation asks nothing twice. `before` are earlier exchanges that the question leans on ("it"),
    `others` further scenes it is about, shown after the first.
    """

    question: Parts
    answer: Parts
    answers: tuple[str, ...]
    topic: str
    before: tuple[Exchange, ...] = ()
    others: tuple[Scene, ...] = ()

    @classmethod
    def words(cls, question: str, answer: str, topic: str, *further: str) -> Exchange:
        """A question and an answer without regions; `further` are other accepted answers."""
        return cls((Text(question),), (Text(answer),), (answer, *further), topic)


def plain(parts: Parts, box_text: Callable[[Box], str] | None = None) -> str:
    """Parts as one text; boxes are written by `box_text`. Media and masks cannot be written: `ValueError`."""
    return "".join(_word(part, box_text) for part in parts)


def _word(part: Part, box_text: Callable[[Box], str] | None) -> str:
    if isinstance(part, Text):
        return part.text
    if isinstance(part, Region) and part.box is not None and box_text is not None:
        return box_text(part.box)
    raise ValueError(f"{part} has no text form here")


def choose(options: tuple[str, ...], rng: np.random.Generator) -> str:
    """One of several wordings."""
    return options[int(rng.random() * len(options))]
