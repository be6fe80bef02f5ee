"""Give an object another colour."""

from __future__ import annotations

import numpy as np

from vistune.sample import Produce, Text
from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import refer
from vistune.world.paint.edit import Edit

_QUESTIONS = ("Make {it} {colour}.", "Change the colour of {it} to {colour}.", "Paint {it} {colour}.", "Turn {it} {colour}.")


def ask(edit: Edit, rng: np.random.Generator) -> Exchange | None:
    """Of any object that an expression fits alone."""
    if edit.change != "colour":
        return None
    assert edit.target is not None
    name = refer(edit.before, edit.before.objects[edit.target], rng)
    if name is None:
        return None
    question = choose(_QUESTIONS, rng).format(it=name.text, colour=edit.after.objects[edit.target].colour)
    return Exchange((Text(question),), (Produce(1),), (), "edit colour")
