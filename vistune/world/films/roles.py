"""What the things of a film do, and where they start, so that their ways do not cross."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import numpy as np

from vistune.world import palette
from vistune.world.digits import Split
from vistune.world.scene import Draft, draft, place

Action: TypeAlias = Literal["move", "appear", "disappear", "change", "stay"]
Direction: TypeAlias = Literal["left", "right", "up", "down"]
ACTIONS: tuple[Action, ...] = get_args(Action)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
STEPS: dict[Direction, tuple[int, int]] = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}

_LARGE_SHARE = 0.2
_ACTION_SHARES = (0.4, 0.15, 0.15, 0.2, 0.1)
_MEETINGS = 0.35  # of the films with two things and more
_TRAVEL = (0.2, 0.38)  # of the picture
_TIMES = (3, 13)  # in which frame something may appear, disappear or change
_APART = 2  # frames at least between two such events
_TRIES = 6


@dataclass(frozen=True, slots=True, eq=False)
class Role:
    """What a thing is to do: `shift` in pixels over the whole film from `start` on, both xy."""

    drafted: Draft
    action: Action
    direction: Direction | None = None
    frame: int | None = None
    changed: str | None = None
    meets: int | None = None
    start: tuple[int, int] = (0, 0)
    shift: tuple[int, int] = (0, 0)


def cast_roles(number: int, split: Split, size: int, rng: np.random.Generator) -> list[Role]:
    """Things, their deeds and their starts for a film of `size` pixels. What does not fit is drawn anew."""
    while True:
        drafts = [draft(split, size, "clean", _LARGE_SHARE, rng) for _ in range(number)]
        roles = _roles(drafts, size, rng)
        for _ in range(_TRIES):
            placed = _stage(roles, size, rng)
            if placed is not None:
                return placed


def _roles(drafts: list[Draft], size: int, rng: np.random.Generator) -> list[Role]:
    pair = len(drafts) > 1 and rng.random() < _MEETINGS
    times = [int(time) for time in rng.permutation(np.arange(*_TIMES, _APART))]
    roles = []
    for index, drafted in enumerate(drafts):
        if pair and index == 0:
            direction: Direction = DIRECTIONS[int(rng.integers(4))]
            roles.append(Role(drafted, "move", direction, meets=1, shift=_shift(direction, size, rng)))
        elif pair and index == 1:
            roles.append(Role(drafted, "stay", meets=0))
        else:
            roles.append(_role(drafted, times[index], size, rng))
    return roles


def _role(drafted: Draft, time: int, size: int, rng: np.random.Generator) -> Role:
    action = ACTIONS[int(np.searchsorted(np.cumsum(_ACTION_SHARES), rng.random() * sum(_ACTION_SHARES), side="right"))]
    if action == "move":
        direction = DIRECTIONS[int(rng.integers(4))]
        return Role(drafted, action, direction, shift=_shift(direction, size, rng))
    if action == "stay":
        return Role(drafted, action)
    others = [colour for colour in palette.NAMES if colour != drafted.colour]
    return Role(drafted, action, frame=time, changed=others[int(rng.integers(len(others)))] if action == "change" else None)


def _shift(direction: Direction, size: int, rng: np.random.Generator) -> tuple[int, int]:
    travel = round(rng.uniform(*_TRAVEL) * size)
    return STEPS[direction][0] * travel, STEPS[direction][1] * travel


def _stage(roles: list[Role], size: int, rng: np.random.Generator) -> list[Role] | None:
    """The roles with a start each; None where their ways do not fit. The two that meet have one way together."""
    pair = roles[0].meets is not None
    groups = [roles[:2], *([role] for role in roles[2:])] if pair else [[role] for role in roles]
    ways = [_way(group) for group in groups]
    corners = place([extent for _, extent in ways], size, rng)
    if corners is None:
        return None
    return [
        replace(role, start=(left + x, top + y))
        for group, (starts, _), (left, top) in zip(groups, ways, corners, strict=True)
        for role, (x, y) in zip(group, starts, strict=True)
    ]


def _way(group: list[Role]) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Where each role of a group starts within the space (height, width) that they need from beginning to end."""
    mover, (dx, dy) = group[0], group[0].shift
    height, width = mover.drafted.ink.opacity.shape
    starts, corners = [(0, 0)], [(0, 0), (dx, dy), (width, height), (dx + width, dy + height)]
    for other in group[1:]:  # it stands where the mover ends, beside it in the direction of the way
        tall, wide = other.drafted.ink.opacity.shape
        side = (width - wide) // 2, (height - tall) // 2
        beside = {"left": (dx - wide, side[1]), "right": (dx + width, side[1])}
        below = {"up": (side[0], dy - tall), "down": (side[0], dy + height)}
        assert mover.direction is not None
        x, y = {**beside, **below}[mover.direction]
        starts.append((x, y))
        corners += [(x, y), (x + wide, y + tall)]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return [(x - min(xs), y - min(ys)) for x, y in starts], (max(ys) - min(ys), max(xs) - min(xs))
