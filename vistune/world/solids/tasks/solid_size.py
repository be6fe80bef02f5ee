"""Which of two solids is larger?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.solids.cloud import Cloud
from vistune.world.solids.phrases import refer

_QUESTIONS = {
    "large": (
        "Which is larger, {a} or {b}?",
        "Which of the two is bigger: {a} or {b}?",
        "Which takes up more room, {a} or {b}?",
    ),
    "small": (
        "Which is smaller, {a} or {b}?",
        "Which of the two is tinier: {a} or {b}?",
        "Which takes up less room, {a} or {b}?",
    ),
}


def ask(cloud: Cloud, rng: np.random.Generator) -> Exchange | None:
    """Of a small one and a large one, named by their colours and answered with one."""
    wanted = "large" if rng.random() < 0.5 else "small"
    pairs = [(a, b) for a in cloud.solids for b in cloud.solids if a.size != b.size]
    if not pairs:
        return None
    a, b = pairs[int(rng.integers(len(pairs)))]
    names = [refer(cloud, solid, rng, without="name") for solid in (a, b)]
    if names[0] is None or names[1] is None:
        return None
    answer = (a if a.size == wanted else b).colour
    return Exchange.words(choose(_QUESTIONS[wanted], rng).format(a=names[0], b=names[1]), answer, f"solid size {wanted}")
