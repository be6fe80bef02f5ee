"""`make_film`: two seconds in which things move, meet, appear, disappear or change colour, drawn from a seed, with their truth.

A film is a pure function of its arguments, as a scene is; it costs about five milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vistune.errors import InputError
from vistune.sample import Box, Media, Region
from vistune.world import palette
from vistune.world.backgrounds import background, grain
from vistune.world.digits import SPLITS, Split, check_split
from vistune.world.films.roles import Action, Direction, Role, cast_roles
from vistune.world.scene import Kind, Size, paint

FRAMES = 16
RATE = 8  # frames a second
MAX_COUNT = 3


@dataclass(frozen=True, slots=True, eq=False)
class FilmObject:
    """One thing: what it does, and where it is in each frame (`boxes`, None where it is not there).

    `direction` is set for what moves, `frame` (the first one in which it is so) for what appears, disappears or changes,
    `changed` (a colour) for what changes, `meets` (a number of the film's objects) for the two that touch at the end.
    """

    kind: Kind
    name: str
    colour: str
    size: Size
    action: Action
    direction: Direction | None
    frame: int | None
    changed: str | None
    meets: int | None
    boxes: tuple[Box | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """Frames uint8 `[16, H, W, 3]`, eight a second, and everything in them."""

    seed: int
    split: Split
    frames: NDArray[np.uint8]
    objects: tuple[FilmObject, ...]

    def media(self) -> tuple[Media, ...]:
        """The film as an array."""
        return (Media("video", data=self.frames),)

    def regions(self) -> tuple[Region, ...]:
        """Regions have no time; the boxes of every frame stand in `facts`."""
        return ()

    def facts(self) -> list[dict[str, object]]:
        """The objects as plain JSON."""
        names = ("kind", "name", "colour", "size", "action", "direction", "frame", "changed", "meets")
        return [
            {name: getattr(thing, name) for name in names} | {"boxes": [box and list(box) for box in thing.boxes]}
            for thing in self.objects
        ]


def make_film(seed: int, split: Split = "train", size: int = 64, count: int | None = None) -> Film:
    """Draw film number `seed` of a split: `count` things, or one to three, on `size` x `size` pixels.

    Ways do not cross: things touch only where they meet. `split` decides whose handwriting appears. Raises `InputError`
    outside these ranges.
    """
    check_split(split)
    if seed < 0 or size < 64 or (count is not None and not 1 <= count <= MAX_COUNT):
        raise InputError(f"a film needs seed >= 0, size >= 64 and 1 to {MAX_COUNT} things, not {seed}, {size}, {count}")
    # The number keeps films apart from other senses of the same seed.
    rng = np.random.default_rng([seed, SPLITS.index(split), 7, size, count or 0])
    number = count or int(rng.integers(1, MAX_COUNT + 1))
    dark = bool(rng.random() < 0.5)
    roles = cast_roles(number, split, size, rng)
    ground = background(size, dark, rng)
    # Drawn once a film, or colours would flicker from frame to frame.
    shades = [(palette.ink(role.drafted.colour, dark, rng), _changed_shade(role, dark, rng)) for role in roles]
    deviation = rng.uniform(0, 4)
    frames = np.empty((FRAMES, size, size, 3), np.uint8)
    boxes: list[list[Box | None]] = [[] for _ in roles]
    for time in range(FRAMES):
        canvas = ground.copy()
        for role, shade, track in zip(roles, shades, boxes, strict=True):
            track.append(_draw(canvas, role, time, shade))
        # Fresh grain in each frame, as of a camera.
        frames[time] = np.clip(canvas + grain(size, deviation, rng), 0, 255)
    objects = tuple(_object(role, track) for role, track in zip(roles, boxes, strict=True))
    return Film(seed, split, frames, objects)


def _changed_shade(role: Role, dark: bool, rng: np.random.Generator) -> NDArray[np.float32]:
    return palette.ink(role.changed or role.drafted.colour, dark, rng)


def _draw(
    canvas: NDArray[np.float32], role: Role, time: int, shades: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> Box | None:
    after = role.frame is not None and time >= role.frame
    if (role.action == "appear" and not after) or (role.action == "disappear" and after):
        return None
    share = time / (FRAMES - 1)
    at = tuple(round(start + share * shift) for start, shift in zip(role.start, role.shift, strict=True))
    return paint(canvas, role.drafted, (at[0], at[1]), shades[role.action == "change" and after]).box


def _object(role: Role, boxes: list[Box | None]) -> FilmObject:
    one = role.drafted
    told = (role.action, role.direction, role.frame, role.changed, role.meets)
    return FilmObject(one.kind, one.name, one.colour, one.size, *told, tuple(boxes))
