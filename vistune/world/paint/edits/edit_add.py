"""Add an object at a place."""

from __future__ import annotations

import numpy as np

from vistune.sample import Produce, Text
from vistune.world.exchange import Exchange, choose
from vistune.world.expressions import indefinite, phrase
from vistune.world.paint.edit import Edit
from vistune.world.tasks.detailed_caption import field

_QUESTIONS = ("Add {it} {place}.", "Put {it} {place}.", "Draw {it} {place}.", "Insert {it} {place}.")


def ask(edit: Edit, rng: np.random.Generator) -> Exchange | None:
    """The object with its size and the ninth of the picture that it is to stand in."""
    if edit.change != "add":
        return None
    assert edit.target is not None
    thing = edit.after.objects[edit.target]
    question = choose(_QUESTIONS, rng).format(it=indefinite(phrase(thing, size=True)), place=field(thing))
    return Exchange((Text(question),), (Produce(1),), (), "edit add")
