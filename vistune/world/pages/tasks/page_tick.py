"""Is a box of the form ticked?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.pages.page import Page

_QUESTIONS = ('Is the box "{label}" ticked?', 'Has somebody ticked "{label}"?', 'Does the box before "{label}" have a cross?')


def ask(page: Page, rng: np.random.Generator) -> Exchange | None:
    """Either box; yes and no are equally likely."""
    form = page.element("form")
    if form is None:
        return None
    label, ticked = form.ticks[int(rng.integers(len(form.ticks)))]
    return Exchange.words(choose(_QUESTIONS, rng).format(label=label), "yes" if ticked else "no", f"page tick {label}")
