"""Make the background dark, or light."""

from __future__ import annotations

import numpy as np

from vistune.sample import Produce, Text
from vistune.world.exchange import Exchange, choose
from vistune.world.paint.edit import Edit

_QUESTIONS = (
    "Make the background {shade}.",
    "Change to a {shade} background.",
    "Put everything on a {shade} background.",
    "Turn the background {shade}.",
)


def ask(edit: Edit, rng: np.random.Generator) -> Exchange | None:
    """Everything else stays where it is, in the shades that stand out from the new background."""
    if edit.change != "background":
        return None
    question = choose(_QUESTIONS, rng).format(shade="dark" if edit.after.dark else "light")
    return Exchange((Text(question),), (Produce(1),), (), "edit background")
