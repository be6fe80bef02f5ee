"""`make_scene`: one picture of digits, shapes and words, drawn from a seed, with its full truth.

A scene is a pure function of its arguments (one NumPy generator seeded with them), takes about a millisecond, and
needs no file: a data set of any size is a range of seeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.sample import Box
from vistune.world import digits, palette, shapes, words
from vistune.world.backgrounds import background, grain
from vistune.world.digits import SPLITS, Split, check_split
from vistune.world.ink import DOMAINS, Domain, Ink, bounds, check_domain, develop, warp

Kind: TypeAlias = Literal["digit", "shape", "word"]
Size: TypeAlias = Literal["small", "large"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NAMES: dict[Kind, tuple[str, ...]] = {"digit": digits.NAMES, "shape": shapes.NAMES, "word": words.NAMES}

MAX_COUNT = 6
_KIND_SHARES = (0.6, 0.25, 0.15)
# Heights at 64 pixels; the two ranges stay apart after turning, so that "the large seven" is never in doubt.
_HEIGHTS: dict[Kind, dict[Size, tuple[float, float]]] = {
    "digit": {"small": (16.0, 19.0), "large": (24.0, 29.0)},
    "shape": {"small": (12.0, 15.0), "large": (20.0, 25.0)},
    "word": {"small": (14.0, 15.0), "large": (18.0, 20.0)},  # of the font
}
_LARGE_SHARE = 0.5
_MARGIN = 2  # pixels left free around an object
_TRIES = 30  # places tried for an object before a layout is given up,
_LAYOUTS = 3  # layouts before the objects are drawn anew,
_SHRINK = 0.75  # with this share of the large objects they had


@dataclass(frozen=True, slots=True, eq=False)
class SceneObject:
    """One object: `box` is xyxy in [0, 1], tight around `mask` (`[H, W]`); `scan` is the handwriting's index, for digits."""

    kind: Kind
    name: str
    colour: str
    box: Box
    mask: NDArray[np.bool_]
    size: Size
    scan: int | None

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box, xy in [0, 1]."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture (uint8 `[H, W, 3]`) and everything in it; boxes of different objects never touch. `dark`: the background."""

    seed: int
    split: Split
    domain: Domain
    dark: bool
    image: NDArray[np.uint8]
    objects: tuple[SceneObject, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """One object before it has a place."""

    kind: Kind
    name: str
    colour: str
    size: Size
    scan: int | None
    ink: Ink


def make_scene(seed: int, split: Split = "train", size: int = 64, count: int | None = None, domain: Domain = "clean") -> Scene:
    """Draw scene number `seed` of a split: `count` objects, or one to five, on `size` x `size` pixels.

    `split` decides whose handwriting appears; the same seed gives different scenes in different splits. `domain` changes
    how things are drawn, not what they are: `clean`, `outline` (edges only), `noise` (heavy pixel noise), `inverse`
    (coloured tiles with the glyph left out). Raises `InputError` for values outside these ranges.
    """
    check_split(split), check_domain(domain)
    if seed < 0 or size < 48 or (count is not None and not 1 <= count <= MAX_COUNT):
        raise InputError(f"a scene needs seed >= 0, size >= 48 and 1 to {MAX_COUNT} objects, not {seed}, {size}, {count}")
    rng = np.random.default_rng([seed, SPLITS.index(split), DOMAINS.index(domain), size, count or 0])
    number = count or int(rng.integers(1, 6))
    dark = bool(rng.random() < 0.5)
    drafts, places = layout(number, split, size, domain, rng)
    canvas = background(size, dark, rng)
    objects = tuple(
        paint(canvas, drafted, at, palette.ink(drafted.colour, dark, rng)) for drafted, at in zip(drafts, places, strict=True)
    )
    canvas += grain(size, 26.0 if domain == "noise" else rng.uniform(0, 4), rng)
    return Scene(seed, split, domain, dark, np.clip(canvas, 0, 255).astype(np.uint8), objects)


def layout(
    number: int, split: Split, size: int, domain: Domain, rng: np.random.Generator
) -> tuple[list[Draft], list[tuple[int, int]]]:
    """Objects and the places (left, top) where they fit. Crowded scenes are drawn anew, with ever fewer large objects."""
    large_share = _LARGE_SHARE
    while True:
        drafts = [draft(split, size, domain, large_share, rng) for _ in range(number)]
        for _ in range(_LAYOUTS):
            places = place([drafted.ink.opacity.shape for drafted in drafts], size, rng)
            if places is not None:
                return drafts, places
        large_share *= _SHRINK


def draft(split: Split, size: int, domain: Domain, large_share: float, rng: np.random.Generator) -> Draft:
    """An object in its ink for a picture of `size` pixels: a `large` one with probability `large_share`."""
    which, what, hue, big, high, one = rng.random(6)
    kind = KINDS[int(np.searchsorted(np.cumsum(_KIND_SHARES), which, side="right"))]
    name = NAMES[kind][int(what * len(NAMES[kind]))]
    colour = palette.NAMES[int(hue * len(palette.NAMES))]
    measure: Size = "large" if big < large_share else "small"
    low, top = _HEIGHTS[kind][measure]
    height = (low + high * (top - low)) * size / 64
    scan = None
    if kind == "digit":
        own = digits.scans(split, digits.NAMES.index(name))
        scan = own[int(one * len(own))]
        glyph = warp(digits.glyph(scan), height, rng, turn=10, shear=0.15)
    elif kind == "shape":
        glyph = warp(shapes.glyph(name), height, rng, turn=10, shear=0.0)
    else:
        glyph = words.glyph(name, round(height))
    return Draft(kind, name, colour, measure, scan, develop(glyph, domain, rng, vary_stroke=kind == "digit"))


def place(extents: list[tuple[int, ...]], size: int, rng: np.random.Generator) -> list[tuple[int, int]] | None:
    """A free place for each extent (height, width), the largest first; None when one does not fit."""
    places = [(0, 0)] * len(extents)
    taken: list[tuple[int, int, int, int]] = []
    for index in sorted(range(len(extents)), key=lambda index: -extents[index][0] * extents[index][1]):
        height, width = extents[index]
        if height > size - 2 or width > size - 2:
            return None
        candidates = 1 + rng.random((_TRIES, 2)) * (size - 1 - width, size - 1 - height)
        for left, top in candidates.astype(int).tolist():
            right, bottom = left + width + _MARGIN, top + height + _MARGIN
            if all(right <= x1 or left >= x2 or bottom <= y1 or top >= y2 for x1, y1, x2, y2 in taken):
                break
        else:
            return None
        places[index] = (left, top)
        taken.append((left, top, right, bottom))
    return places


def paint(canvas: NDArray[np.float32], drafted: Draft, at: tuple[int, int], shade: NDArray[np.float32]) -> SceneObject:
    """Draw one object with its left top corner `at` a pixel (changing `canvas`) and record the truth about it.

    `shade` is the ink's colour, RGB `[3]` in 0-255.
    """
    size, (left, top), (height, width) = len(canvas), at, drafted.ink.opacity.shape
    area = slice(top, top + height), slice(left, left + width)
    canvas[area] += drafted.ink.opacity[..., None] * (shade - canvas[area])
    mask = np.zeros((size, size), dtype=bool)
    mask[area] = drafted.ink.mask
    x1, y1, x2, y2 = bounds(drafted.ink.mask)
    box = ((left + x1) / size, (top + y1) / size, (left + x2) / size, (top + y2) / size)
    return SceneObject(drafted.kind, drafted.name, drafted.colour, box, mask, drafted.size, drafted.scan)
