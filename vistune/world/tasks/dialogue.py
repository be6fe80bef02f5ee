"""A follow-up question: "it" is the object of the question before."""

from __future__ import annotations

import math

import numpy as np

from vistune.sample import Text
from vistune.world.exchange import Exchange, choose
from vistune.world.scene import Scene, SceneObject
from vistune.world.tasks import colour, identity

_SIZE = ("Is it small or large?", "How is it drawn, small or large?")
_COLOUR = ("What colour is the object nearest to it?", "Which colour does its closest neighbour have?")
_NAME = ("What is the object nearest to it?", "Which object is its closest neighbour?")
_CLEAR = 0.08  # of the picture: how much farther the second nearest must be


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """First the object's identity or colour, then something that cannot be answered without knowing which object it was."""
    target = scene.objects[int(rng.random() * len(scene.objects))]
    opening = identity if target.kind == "digit" and rng.random() < 0.5 else colour
    first = opening.about(scene, target, rng)
    if first is None:
        return None
    followers: list[tuple[str, str]] = [(choose(_SIZE, rng), target.size)]
    neighbour = _nearest(scene, target)
    if neighbour is not None:
        followers += [(choose(_COLOUR, rng), neighbour.colour), (choose(_NAME, rng), neighbour.name)]
    question, answer = followers[int(rng.random() * len(followers))]
    topic = f"dialogue {scene.objects.index(target)}"
    return Exchange((Text(question),), (Text(answer),), (answer,), topic, before=(first,))


def _nearest(scene: Scene, target: SceneObject) -> SceneObject | None:
    """The object whose centre is nearest to the target's, None when there is no other or two are about as near."""
    others = sorted((thing for thing in scene.objects if thing is not target), key=lambda thing: _distance(thing, target))
    if not others or (len(others) > 1 and _distance(others[1], target) - _distance(others[0], target) < _CLEAR):
        return None
    return others[0]


def _distance(a: SceneObject, b: SceneObject) -> float:
    return math.dist(a.centre, b.centre)
