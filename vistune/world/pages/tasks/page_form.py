"""What was filled into a field of the form?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.pages.page import Page

_QUESTIONS = (
    'What is filled in for "{label}"?',
    'In the form, what is the "{label}"?',
    'Read the field "{label}" of the form.',
)


def ask(page: Page, rng: np.random.Generator) -> Exchange | None:
    """Any field with words in it."""
    form = page.element("form")
    if form is None:
        return None
    label, _, value = form.cells[int(rng.integers(len(form.cells)))]
    return Exchange.words(choose(_QUESTIONS, rng).format(label=label), value, f"page form {label}")
