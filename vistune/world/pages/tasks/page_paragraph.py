"""What does a line of the paragraph say, or which word comes after another?"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.pages.page import Page

_AFTER = (
    'In the paragraph, which word comes after "{word}"?',
    'Which word follows "{word}" in the paragraph?',
    'Name the word behind "{word}" in the running text.',
)


def ask(page: Page, rng: np.random.Generator) -> Exchange | None:
    """Of a word that stands in the paragraph once, and not at its end."""
    paragraph = page.element("paragraph")
    if paragraph is None:
        return None
    texts = [word.text for word in paragraph.words]
    found = [(one, other) for one, other in pairwise(texts) if texts.count(one) == 1]
    if not found:
        return None
    word, answer = found[int(rng.integers(len(found)))]
    return Exchange.words(choose(_AFTER, rng).format(word=word), answer, f"page paragraph {word}")
