"""`make_page`: a page of a heading and up to four of paragraph, table, chart and form, drawn from a seed, with its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vistune.errors import InputError
from vistune.sample import Media, Region
from vistune.world.backgrounds import grain
from vistune.world.digits import SPLITS, Split, check_split
from vistune.world.pages.elements import DRAWN, Element, Kind, Pen

WIDTH, HEIGHT = 256, 320  # pixels: four by five tiles of 64
_BODIES: tuple[Kind, ...] = ("paragraph", "table", "chart", "form")
_NEEDED: dict[Kind, int] = {"paragraph": 67, "table": 100, "chart": 107, "form": 75}  # pixels at most


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A picture uint8 `[320, 256, 3]` and its elements from top to bottom, no kind twice."""

    seed: int
    split: Split
    image: NDArray[np.uint8]
    elements: tuple[Element, ...]

    def element(self, kind: Kind) -> Element | None:
        """The element of a kind, None where there is none."""
        return next((element for element in self.elements if element.kind == kind), None)

    def media(self) -> tuple[Media, ...]:
        """The page as a picture."""
        return (Media("image", data=self.image),)

    def regions(self) -> tuple[Region, ...]:
        """The elements by their kinds and the words by what they say."""
        elements = [Region(box=element.box, label=element.kind) for element in self.elements]
        return (*elements, *(Region(box=word.box, label=word.text) for element in self.elements for word in element.words))

    def facts(self) -> list[dict[str, object]]:
        """The elements as plain JSON."""
        return [
            {
                "kind": element.kind,
                "box": list(element.box),
                "words": [word.text for word in element.words],
                "cells": [list(cell) for cell in element.cells],
                "ticks": [list(tick) for tick in element.ticks],
            }
            for element in self.elements
        ]


def make_page(seed: int, split: Split = "train") -> Page:
    """Draw page number `seed` of a split. Raises `InputError` below zero."""
    check_split(split)
    if seed < 0:
        raise InputError(f"a page needs seed >= 0, not {seed}")
    rng = np.random.default_rng([seed, SPLITS.index(split), 8])
    paper = rng.uniform(225, 252) + rng.uniform(-5, 3, 3)
    image = Image.new("RGB", (WIDTH, HEIGHT), (int(paper[0]), int(paper[1]), int(paper[2])))
    dark = int(rng.integers(10, 60))
    top = 8.0 + rng.uniform(0, 6)
    kinds: list[Kind] = ["heading", *(_BODIES[int(index)] for index in rng.permutation(len(_BODIES))[: rng.integers(2, 5)])]
    elements = []
    for kind in kinds:
        if top + _NEEDED.get(kind, 0) > HEIGHT:
            continue
        element, top = DRAWN[kind](Pen(image, (dark, dark, dark)), top, rng)
        elements.append(element)
    pixels = np.asarray(image, np.float32)
    noise = np.concatenate([grain(WIDTH, rng.uniform(0, 4), rng), grain(WIDTH, rng.uniform(0, 4), rng)])[:HEIGHT]
    return Page(seed, split, np.clip(pixels + noise, 0, 255).astype(np.uint8), tuple(elements))
