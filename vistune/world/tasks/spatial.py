"""How do two objects lie to each other: left, right, above, below?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import Attribute, refer
from vistune.world.scene import Scene, SceneObject

_OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
_RELATION = {"left": "to the left of", "right": "to the right of", "above": "above", "below": "below"}
_OPEN = (
    "Where is {a} as seen from {b}: left, right, above or below?",
    "In which direction from {b} does {a} lie: left, right, above or below?",
    "Is {a} left of, right of, above or below {b}?",
)
_CLOSED = ("Is {a} {relation} {b}?", "Does {a} lie {relation} {b}?", "Is it true that {a} is {relation} {b}?")


def direction(a: SceneObject, b: SceneObject) -> str | None:
    """The side of `b` on which `a` lies, None when one axis does not clearly outweigh the other."""
    right, down = a.centre[0] - b.centre[0], a.centre[1] - b.centre[1]
    if max(abs(right), abs(down)) < 0.15:
        return None
    if abs(right) > 1.6 * abs(down):
        return "right" if right > 0 else "left"
    if abs(down) > 1.6 * abs(right):
        return "below" if down > 0 else "above"
    return None


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Half are open questions, half claims to affirm or deny; a false claim states the opposite."""
    if len(scene.objects) < 2:
        return None
    first, second = (int(index) for index in rng.permutation(len(scene.objects))[:2])
    a, b = scene.objects[first], scene.objects[second]
    side, name_a, name_b = direction(a, b), refer(scene, a, rng, _NO_PLACE), refer(scene, b, rng, _NO_PLACE)
    if side is None or name_a is None or name_b is None:
        return None
    topic = f"spatial {min(first, second)} {max(first, second)}"
    if rng.random() < 0.5:
        return Exchange.words(choose(_OPEN, rng).format(a=name_a.text, b=name_b.text), side, topic)
    true = rng.random() < 0.5
    relation = _RELATION[side if true else _OPPOSITE[side]]
    question = choose(_CLOSED, rng).format(a=name_a.text, b=name_b.text, relation=relation)
    return Exchange.words(question, "yes" if true else "no", topic)


_NO_PLACE: frozenset[Attribute] = frozenset({"place"})  # "is the leftmost digit left of ..." answers itself
