"""Take an object away."""

from __future__ import annotations

import numpy as np

from vistune.sample import Produce, Text
from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import refer
from vistune.world.paint.edit import Edit

_QUESTIONS = ("Remove {it}.", "Take {it} away.", "Erase {it}.", "Delete {it} from the picture.")


def ask(edit: Edit, rng: np.random.Generator) -> Exchange | None:
    """Of any object that an expression fits alone."""
    if edit.change != "remove":
        return None
    assert edit.target is not None
    name = refer(edit.before, edit.before.objects[edit.target], rng)
    if name is None:
        return None
    return Exchange((Text(choose(_QUESTIONS, rng).format(it=name.text)),), (Produce(1),), (), "edit remove")
