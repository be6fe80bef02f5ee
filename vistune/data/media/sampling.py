"""Which frames of a film are seen: pure functions of how many it has, and of when they are shown.

uniform     the middles of `frames` equal parts: (2 k + 1) n / 2 T
segments    the middles of parts of n - 1 frames whose ends are rounded, as Video-ChatGPT takes them (a short film's repeat)
starts      the first frame of each part, as Video-LLaMA
ends        from the first to the last frame in equal steps, as Valley (a short film's repeat)
rate        `rate` frames a second, each in the middle of its stretch, as VideoChat; `frames` is the most that a film may
            need, and one that needs more is refused, never cut
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

from vistune.errors import InputError

Rule: TypeAlias = Literal["uniform", "segments", "starts", "ends", "rate"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """At most `frames` frames, chosen by `rule`; `rate` a second where that is the rule."""

    frames: int
    rule: Rule = "uniform"
    rate: float = 1.0

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise InputError(f"frames is {self.frames}, expected at least 1")
        if self.rule not in get_args(Rule):
            raise InputError(f"sample is {self.rule!r}, expected one of {', '.join(get_args(Rule))}")
        if not 0 < self.rate < math.inf:
            raise InputError(f"rate is {self.rate}, expected frames a second, a number above 0")

    def places(self, count: int, clock: Sequence[float] | None, name: str) -> list[int]:
        """The numbers of the frames seen, of `count`, ascending. `clock` says when each is shown, in seconds, ascending.

        Raises `InputError`, naming the film, where the rate is the rule and the film has no clock or needs too many frames.
        """
        wanted = self.frames
        if self.rule == "rate":
            return self._by_rate(count, clock, name)
        if self.rule == "segments":
            size = (count - 1) / wanted
            ends = [round(size * part) for part in range(wanted + 1)]  # halves to the even number, as numpy rounds
            return [(first + last) // 2 for first, last in pairwise(ends)]
        if self.rule == "ends":
            return [int((count - 1) * part / max(1, wanted - 1)) for part in range(wanted)]
        wanted = min(count, wanted)
        if self.rule == "starts":
            return [int(part * (count / wanted)) for part in range(wanted)]
        return spread(count, wanted)

    def _by_rate(self, count: int, clock: Sequence[float] | None, name: str) -> list[int]:
        if clock is None:
            raise InputError(f"{name} does not say when its frames are shown: take them uniformly, not by a rate")
        # The last frame is shown as long as the others on average.
        tick = (clock[-1] - clock[0]) / max(1, count - 1) or 1 / self.rate
        lasts = tick * count
        seconds = [clock[0] + (part + 0.5) / self.rate for part in range(math.ceil(lasts * self.rate - 1e-9))]
        seen = [second for second in seconds if round((second - clock[0]) / tick) < count] or [clock[0]]
        if len(seen) > self.frames:
            raise InputError(
                f"{name} lasts {lasts:.1f} s: at {self.rate:g} frames a second these are {len(seen)}, more than the "
                f"{self.frames} that are seen: raise frames, lower rate, or take them uniformly"
            )
        return [_nearest(clock, second) for second in seen]


def spread(count: int, wanted: int) -> list[int]:
    """The places of `wanted` of `count` frames: the middle of each of `wanted` equal parts; all when there are fewer."""
    wanted = min(count, wanted)
    return [(2 * part + 1) * count // (2 * wanted) for part in range(wanted)]


def _nearest(clock: Sequence[float], second: float) -> int:
    """The frame whose time is nearest; of two, the one of even number, as numpy rounds."""
    after = min(bisect_left(clock, second), len(clock) - 1)
    before = max(0, after - 1)
    nearer = (second - clock[before]) - (clock[after] - second)
    if abs(nearer) < 1e-6:
        return before if before % 2 == 0 else after
    return before if nearer < 0 else after
