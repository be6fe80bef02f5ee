"""A question about two pictures."""

from __future__ import annotations

import numpy as np

from vistune.sample import Text
from vistune.world import palette
from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import indefinite, phrase
from vistune.world.scene import Scene, make_scene

_MORE = (
    "Which picture shows more objects, the first or the second?",
    "Are there more objects in the first or the second picture?",
)
_WHERE = ("Which picture shows {it}, the first or the second?", "Is {it} in the first or the second picture?")
_BOTH = ("Do both pictures show something {it}?", "Is there something {it} in each of the two pictures?")


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """The second scene is drawn from the same split, and the two change places half of the time."""
    other = make_scene(int(rng.integers(2**31)), scene.split, len(scene.image), domain=scene.domain)
    form = int(rng.random() * 3)
    if form == 0:
        if len(scene.objects) == len(other.objects):
            return None
        return _exchange(other, choose(_MORE, rng), "first" if len(scene.objects) > len(other.objects) else "second")
    if form == 1:
        asked, answer = (scene, "first") if rng.random() < 0.5 else (other, "second")
        elsewhere = {phrase(thing) for thing in (other if asked is scene else scene).objects}
        only = [phrase(thing) for thing in asked.objects if phrase(thing) not in elsewhere]
        if not only:
            return None
        return _exchange(other, choose(_WHERE, rng).format(it=indefinite(choose(tuple(only), rng))), answer)
    shown = [{thing.colour for thing in one.objects} for one in (scene, other)]
    shared = tuple(colour for colour in palette.NAMES if colour in shown[0] and colour in shown[1])
    rest = tuple(colour for colour in palette.NAMES if colour not in shared)
    if not shared or not rest:  # only where yes and no are both to be had, so that neither is the likelier
        return None
    yes = rng.random() < 0.5
    return _exchange(other, choose(_BOTH, rng).format(it=choose(shared if yes else rest, rng)), "yes" if yes else "no")


def _exchange(other: Scene, question: str, answer: str) -> Exchange:
    return Exchange((Text(question),), (Text(answer),), (answer,), "two images", others=(other,))
