"""Where is an element of the page?"""

from __future__ import annotations

import numpy as np

from vistune.sample import Region, Text
from vistune.world.exchange import Exchange, choose
from vistune.world.pages.page import Page

_QUESTIONS = ("Where is the {kind}? Answer with a box.", "Give the box of the {kind}.", "Box the {kind}.")


def ask(page: Page, rng: np.random.Generator) -> Exchange | None:
    """Any element but the heading, which stands where it always does."""
    element = page.elements[int(rng.integers(1, len(page.elements)))]
    question = choose(_QUESTIONS, rng).format(kind=element.kind)
    return Exchange((Text(question),), (Region(box=element.box, label=element.kind),), (), f"page box {element.kind}")
