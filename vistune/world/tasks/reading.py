"""Reading: which word is written?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import refer
from vistune.world.scene import Scene

_ABOUT = ("What does {it} say?", "Read {it}.", "Which word is {it}?", "Spell out {it}.")
_ONLY = ("Which word is written in the picture?", "Read the word.", "What does the text say?", "What is written here?")


def ask(scene: Scene, rng: np.random.Generator) -> Exchange | None:
    """Asked by colour, size or place where there are several words."""
    words = [thing for thing in scene.objects if thing.kind == "word"]
    if not words:
        return None
    target = words[int(rng.random() * len(words))]
    expression = refer(scene, target, rng, avoid=frozenset({"name"}))
    if expression is None:
        return None
    question = choose(_ONLY if expression.uses == {"kind"} else _ABOUT, rng).format(it=expression.text)
    return Exchange.words(question, target.name, f"reading {scene.objects.index(target)}")
