"""Distributions of what samples ask for: words of a question and an answer, and pictures, a sample."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from vistune.data.samples import read

MOST = 900  # words of an answer, as in the other benchmarks


@dataclass(frozen=True, slots=True)
class Shape:
    """One sample: words and pictures."""

    words: int
    pictures: int


Lengths: TypeAlias = Callable[[int, int], list[Shape]]
"""So many samples, drawn from a seed."""


def calibration(count: int, seed: int) -> list[Shape]:
    """What constants are taken from: any length beside any number of pictures."""
    draw = random.Random(seed)
    return [Shape(draw.randrange(4, 500), draw.randrange(0, 4)) for _ in range(count)]


def instructions(count: int, seed: int) -> list[Shape]:
    """One picture and one answer, lognormal with a mean of about 105 words (sigma 0.85): LLaVA-Instruct's lengths."""
    draw = random.Random(seed)
    return [Shape(8 + max(2, min(MOST, round(draw.lognormvariate(4.29, 0.85)))), 1) for _ in range(count)]


def mixture(count: int, seed: int) -> list[Shape]:
    """As LLaVA-1.5's 665 thousand: short answers (70 %), long descriptions (24 %), and the longest, dialogues without a picture
    (6 %: its 40 thousand of ShareGPT)."""
    draw = random.Random(seed)

    def one() -> Shape:
        kind = draw.random()
        if kind < 0.06:
            return Shape(min(MOST, round(draw.lognormvariate(6.0, 0.6))), 0)
        if kind < 0.30:
            return Shape(min(MOST, round(draw.lognormvariate(5.0, 0.5))), 1)
        return Shape(min(MOST, round(draw.lognormvariate(3.4, 0.8))), 1)

    return [one() for _ in range(count)]


def interleaved(count: int, seed: int) -> list[Shape]:
    """Up to eight pictures a sample, few more often than many, and words that have nothing to do with them."""
    draw = random.Random(seed)
    pictures = [min(8, int(draw.expovariate(0.5))) for _ in range(count)]
    return [Shape(max(8, min(MOST, round(draw.lognormvariate(4.0, 0.9)))), shown) for shown in pictures]


def world(count: int, seed: int) -> list[Shape]:
    """The embedded world's instructions, as they are."""
    return [_shape(sample) for sample in read(f"world:?task=instructions&size={count}&seed={seed}")]


def daquar(count: int, seed: int) -> list[Shape]:
    """DAQUAR's questions, whose lengths hardly differ, where its files lie beside the tree (shared/data/daquar)."""
    file = Path(__file__).parents[3] / "shared" / "data" / "daquar" / "all_qa_pairs.txt"
    if not file.is_file():
        return []
    draw, data = random.Random(seed), read(f"daquar:{file}")
    return [_shape(data[draw.randrange(len(data))]) for _ in range(count)]


def _shape(sample: object) -> Shape:
    said = sum(len(part.text.split()) for turn in sample.turns for part in turn.parts if hasattr(part, "text"))  # type: ignore[attr-defined]
    return Shape(max(2, said), len(sample.media))  # type: ignore[attr-defined]


KNOWN: dict[str, Lengths] = {
    "instructions": instructions,
    "mixture": mixture,
    "interleaved": interleaved,
    "world": world,
    "daquar": daquar,
}
