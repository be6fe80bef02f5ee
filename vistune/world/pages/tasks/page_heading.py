"""What does the heading say?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.pages.page import Page

_QUESTIONS = ("What does the heading say?", "What is the title of the page?", "Read the heading.")


def ask(page: Page, rng: np.random.Generator) -> Exchange | None:
    """All words of the heading."""
    heading = page.element("heading")
    if heading is None:
        return None
    return Exchange.words(choose(_QUESTIONS, rng), " ".join(word.text for word in heading.words), "page heading")
