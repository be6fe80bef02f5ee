"""On which side of a solid does another stand, seen from the front?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.solids.cloud import Cloud, Solid
from vistune.world.solids.phrases import refer

_QUESTIONS = (
    "Seen from the front, is {a} left of, right of, in front of or behind {b}?",
    "Where does {a} stand as seen from the front: left of, right of, in front of or behind {b}?",
    "How does {a} lie to {b}, looked at from the front: left, right, in front or behind?",
)
_CLEAR = 1.6  # how far one axis outweighs the other


def ask(cloud: Cloud, rng: np.random.Generator) -> Exchange | None:
    """Of two solids, one of which clearly lies to a side of the other; x goes to the right and y to the back."""
    if len(cloud.solids) < 2:
        return None
    a, b = (cloud.solids[int(index)] for index in rng.permutation(len(cloud.solids))[:2])
    side, name_a, name_b = direction(a, b), refer(cloud, a, rng), refer(cloud, b, rng)
    if side is None or name_a is None or name_b is None:
        return None
    return Exchange.words(choose(_QUESTIONS, rng).format(a=name_a, b=name_b), side, "solid position")


def direction(a: Solid, b: Solid) -> str | None:
    """The side of `b` on which `a` stands, None where no axis clearly outweighs the other."""
    right, back = a.centre[0] - b.centre[0], a.centre[1] - b.centre[1]
    if abs(right) > _CLEAR * abs(back):
        return "right" if right > 0 else "left"
    if abs(back) > _CLEAR * abs(right):
        return "behind" if back > 0 else "in front"
    return None
