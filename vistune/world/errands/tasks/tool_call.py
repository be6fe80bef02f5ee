"""Which tool, and with what?"""

from __future__ import annotations

import numpy as np

from vistune.world.errands.errand import Errand
from vistune.world.exchange import Exchange


def ask(subject: Errand, rng: np.random.Generator) -> Exchange | None:
    """The wish, and the call that fulfils it."""
    return Exchange.words(subject.question, subject.call, "tool call")
