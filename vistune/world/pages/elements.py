"""What stands on a page: each kind is drawn below the last and says what it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias, get_args

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vistune.sample import Box
from vistune.world import palette, words

Kind: TypeAlias = Literal["heading", "paragraph", "table", "chart", "form"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MARGIN = 10
BODY, HEADING = 14, 20  # font sizes
LINE = 19
_ROW = 22
_COLUMN = 72
_CHART = 76  # height of the bars' frame
TOP_VALUE = 9
RGB: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Word:
    """One written word or number and its box, xyxy in [0, 1]."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class Element:
    """One part of a page.

    `cells` are what it holds, as (row or label, column, value): a table's cells, a chart's bars (column empty), a form's
    fields (column empty; `yes` or `no` for boxes to tick); of headings and paragraphs there are none, only `words`.
    """

    kind: Kind
    box: Box
    words: tuple[Word, ...]
    cells: tuple[tuple[str, str, str], ...] = ()
    ticks: tuple[tuple[str, bool], ...] = ()


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


class Pen:
    """Writes on a picture and remembers where."""

    def __init__(self, image: Image.Image, ink: RGB) -> None:
        self.draw = ImageDraw.Draw(image)
        self.size = image.size
        self.ink = ink
        self.words: list[Word] = []

    def write(self, x: float, y: float, text: str, size: int = BODY, ink: RGB | None = None) -> float:
        """Write a word with its left top at (x, y), the line's; returns where its right end is."""
        self.draw.text((x, y), text, fill=ink or self.ink, font=_font(size))
        left, top, right, bottom = self.draw.textbbox((x, y), text, font=_font(size))
        self.words.append(Word(text, self.part(left, top, right, bottom)))
        return right

    def part(self, left: float, top: float, right: float, bottom: float) -> Box:
        """Pixels as parts of the page."""
        width, height = self.size
        return left / width, top / height, min(right / width, 1.0), min(bottom / height, 1.0)


def _some(count: int, rng: np.random.Generator) -> list[str]:
    """Different words."""
    return [words.NAMES[int(index)] for index in rng.permutation(len(words.NAMES))[:count]]


def heading(pen: Pen, top: float, rng: np.random.Generator) -> tuple[Element, float]:
    """One to three words in large, coloured letters."""
    ink: RGB = tuple(int(value) for value in palette.ink(palette.NAMES[int(rng.integers(len(palette.NAMES)))], False, rng))  # type: ignore[assignment]
    x: float = MARGIN
    for text in _some(int(rng.integers(1, 4)), rng):
        x = pen.write(x, top, text, HEADING, ink) + 8
    return Element("heading", pen.part(MARGIN, top, x, top + HEADING + 6), tuple(pen.words)), top + HEADING + 12


def paragraph(pen: Pen, top: float, rng: np.random.Generator) -> tuple[Element, float]:
    """Two or three lines of words."""
    y = top
    for _ in range(int(rng.integers(2, 4))):
        x: float = MARGIN
        for text in (words.NAMES[int(index)] for index in rng.integers(len(words.NAMES), size=7)):
            if x + 10 * len(text) > pen.size[0] - MARGIN:
                break
            x = pen.write(x, y, text) + 7
        y += LINE
    return Element("paragraph", pen.part(MARGIN, top, pen.size[0] - MARGIN, y), tuple(pen.words)), y + 10


def table(pen: Pen, top: float, rng: np.random.Generator) -> tuple[Element, float]:
    """A row of column names over two or three rows, each with its name and a number below every column."""
    rows, columns = int(rng.integers(2, 4)), int(rng.integers(1, 3))
    names = _some(rows + columns, rng)
    right, bottom = MARGIN + _COLUMN * (columns + 1), top + _ROW * (rows + 1)
    for row in range(rows + 2):
        pen.draw.line((MARGIN, top + _ROW * row, right, top + _ROW * row), fill=pen.ink)
    for column in range(columns + 2):
        pen.draw.line((MARGIN + _COLUMN * column, top, MARGIN + _COLUMN * column, bottom), fill=pen.ink)
    cells = []
    for column in range(columns):
        pen.write(MARGIN + _COLUMN * (column + 1) + 6, top + 2, names[rows + column])
    for row in range(rows):
        y = top + _ROW * (row + 1) + 2
        pen.write(MARGIN + 6, y, names[row])
        for column in range(columns):
            value = str(int(rng.integers(10, 100)))
            pen.write(MARGIN + _COLUMN * (column + 1) + 6, y, value)
            cells.append((names[row], names[rows + column], value))
    return Element("table", pen.part(MARGIN, top, right, bottom), tuple(pen.words), tuple(cells)), bottom + 12


def chart(pen: Pen, top: float, rng: np.random.Generator) -> tuple[Element, float]:
    """Three or four bars of different heights, their names below, and numbers at the side to read them by."""
    number = int(rng.integers(3, 5))
    names, values = _some(number, rng), [int(value) + 1 for value in rng.permutation(TOP_VALUE)[:number]]
    floor, left, wide = top + _CHART, MARGIN + 18, 50
    for level in (0, 3, 6, 9):
        y = floor - level * (_CHART - 8) / TOP_VALUE
        pen.draw.line((left, y, left + wide * number, y), fill=(190, 190, 190))
        pen.write(MARGIN, y - 8, str(level), 12)
    order = rng.permutation(len(palette.NAMES))
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        x = left + wide * index
        ink = tuple(int(part) for part in palette.ink(palette.NAMES[int(order[index])], False, rng))
        pen.draw.rectangle((x + 10, floor - value * (_CHART - 8) / TOP_VALUE, x + 38, floor), fill=ink)
        pen.write(x + 6, floor + 2, name)
    bottom = floor + LINE
    cells = tuple((name, "", str(value)) for name, value in zip(names, values, strict=True))
    return Element("chart", pen.part(MARGIN, top, left + wide * number, bottom), tuple(pen.words), cells), bottom + 12


def form(pen: Pen, top: float, rng: np.random.Generator) -> tuple[Element, float]:
    """Two labels with what was filled in behind each, and a row of two boxes to tick."""
    names = _some(6, rng)
    y = top
    cells = []
    for row in range(2):
        end = pen.write(MARGIN, y + 2, names[row] + ":")
        pen.draw.rectangle((max(end + 8, 80), y, 190, y + _ROW - 3), outline=pen.ink)
        pen.write(max(end + 8, 80) + 6, y + 2, names[2 + row])
        cells.append((names[row], "", names[2 + row]))
        y += _ROW
    ticks = []
    for column in range(2):
        x, ticked = MARGIN + 100 * column, bool(rng.random() < 0.5)
        pen.draw.rectangle((x, y + 3, x + 13, y + 16), outline=pen.ink)
        if ticked:
            pen.draw.line((x + 2, y + 5, x + 11, y + 14), fill=pen.ink, width=2)
            pen.draw.line((x + 11, y + 5, x + 2, y + 14), fill=pen.ink, width=2)
        pen.write(x + 20, y + 1, names[4 + column])
        ticks.append((names[4 + column], ticked))
    element = Element("form", pen.part(MARGIN, top, 200, y + LINE), tuple(pen.words), tuple(cells), tuple(ticks))
    return element, y + LINE + 12


DRAWN: dict[Kind, Callable[[Pen, float, np.random.Generator], tuple[Element, float]]] = {
    "heading": heading,
    "paragraph": paragraph,
    "table": table,
    "chart": chart,
    "form": form,
}
