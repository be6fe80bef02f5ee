"""A follow-up question: "it" is the object of the question before."""

from __future__ import annotations

import math

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.scene import Scene, SceneObject
from vistune.world.tasks import colour, identity

_SIZE = ("Is it small or large?", "How is it drawn, small or large?")
_COLOUR = ("What colour is the object nearest to it?", "Which colour does its closest neighbour have?")
_NAME = ("What is the object nearest to it?", "Which object is its closest neighbour?")
_CLEAR = 0.08  # of the picture: how much farther the second nearest must be


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """First the object's identity or colour, then something that cannot be answered without knowing which object it was."""
    first = (identity if rng.random() < 0.5 else colour).ask(scene, rng)
    if first is None:
        return None
    index = first.topic.rpartition(" ")[2]
    target = scene.objects[int(index)]
    followers: list[tuple[str, str]] = [(choose(_SIZE, rng), target.size)]
    neighbour = _nearest(scene, target)
    if neighbour is not None:
        followers += [(choose(_COLOUR, rng), neighbour.colour), (choose(_NAME, rng), neighbour.name)]
    question, answer = followers[int(rng.random() * len(followers))]
    follow_up = Exchange.words(question, answer, f"dialogue {index} {answer}")
    return Exchange(follow_up.question, follow_up.answer, follow_up.answers, follow_up.topic, before=(first,))


def _nearest(scene: Scene, target: SceneObject) -> SceneObject | None:
    """The object whose centre is nearest to the target's, None when there is no other or two are about as near."""
    others = sorted((thing for thing in scene.objects if thing is not target), key=lambda thing: _distance(thing, target))
    if not others or (len(others) > 1 and _distance(others[1], target) - _distance(others[0], target) < _CLEAR):
        return None
    return others[0]


def _distance(a: SceneObject, b: SceneObject) -> float:
    return math.dist(a.centre, b.centre)
