"""`make_edit`: one picture before and after a change, alike in everything else to the pixel, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.sample import Media, Region
from vistune.world import palette
from vistune.world.backgrounds import background, grain
from vistune.world.digits import SPLITS, Split, check_split
from vistune.world.expressions import phrase
from vistune.world.paint.painting import facts
from vistune.world.scene import Draft, Scene, layout, paint

Change: TypeAlias = Literal["colour", "remove", "add", "background"]
CHANGES: tuple[Change, ...] = get_args(Change)
MAX_COUNT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """Two scenes and the change between them.

    `target` is the number of the changed object: of the first scene, or of the second one where it was added; None for a
    change of the background.
    """

    seed: int
    split: Split
    change: Change
    before: Scene
    after: Scene
    target: int | None

    def media(self) -> tuple[Media, ...]:
        """The picture before and the picture after."""
        return Media("image", data=self.before.image), Media("image", data=self.after.image)

    def regions(self) -> tuple[Region, ...]:
        """The objects of both."""
        return tuple(
            Region(media=number, box=thing.box, label=phrase(thing))
            for number, scene in enumerate((self.before, self.after))
            for thing in scene.objects
        )

    def facts(self) -> list[dict[str, object]]:
        """The change and the objects of both pictures as plain JSON."""
        changed: dict[str, object] = {"change": self.change, "target": self.target}
        return [changed, {"before": facts(self.before)}, {"after": facts(self.after)}]


def make_edit(seed: int, split: Split = "train", size: int = 64) -> Edit:
    """Draw edit number `seed` of a split on `size` x `size` pixels. Raises `InputError` for a seed below 0, a size below 48."""
    check_split(split)
    if seed < 0 or size < 48:
        raise InputError(f"an edit needs seed >= 0 and size >= 48, not {seed}, {size}")
    rng = np.random.default_rng([seed, SPLITS.index(split), 10, size])
    change = CHANGES[int(rng.integers(len(CHANGES)))]
    number = int(rng.integers(1 if change in ("colour", "background") else 2, MAX_COUNT + 1))
    drafts, places = layout(number, split, size, "clean", rng)
    dark = bool(rng.random() < 0.5)
    noise = grain(size, rng.uniform(0, 4), rng)
    target = None if change == "background" else int(rng.integers(number))
    grounds = {shade: background(size, shade, rng) for shade in (True, False)}
    inks = [{shade: palette.ink(drafted.colour, shade, rng) for shade in (True, False)} for drafted in drafts]

    def scene(drawn: list[int], dark: bool, colours: dict[int, str]) -> Scene:
        canvas = grounds[dark].copy()
        objects = tuple(
            paint(canvas, *_coloured(drafts[index], places[index], inks[index][dark], colours.get(index), dark))
            for index in drawn
        )
        return Scene(seed, split, "clean", dark, np.clip(canvas + noise, 0, 255).astype(np.uint8), objects)

    everything = list(range(number))
    rest = [index for index in everything if index != target]
    if change == "background":
        return Edit(seed, split, change, scene(everything, dark, {}), scene(everything, not dark, {}), None)
    assert target is not None
    if change == "remove":
        return Edit(seed, split, change, scene(everything, dark, {}), scene(rest, dark, {}), target)
    if change == "add":
        return Edit(seed, split, change, scene(rest, dark, {}), scene([*rest, target], dark, {}), len(rest))
    others = [colour for colour in palette.NAMES if colour != drafts[target].colour]
    new = {target: others[int(rng.integers(len(others)))]}
    return Edit(seed, split, change, scene(everything, dark, {}), scene(everything, dark, new), target)


def _coloured(
    drafted: Draft, at: tuple[int, int], ink: NDArray[np.float32], colour: str | None, dark: bool
) -> tuple[Draft, tuple[int, int], NDArray[np.float32]]:
    """What `paint` takes: as drafted, or in another colour's own shade."""
    if colour is None:
        return drafted, at, ink
    changed = Draft(drafted.kind, drafted.name, colour, drafted.size, drafted.scan, drafted.ink)
    return changed, at, palette.ink(colour, dark, np.random.default_rng(0))
