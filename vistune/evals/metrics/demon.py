"""DEMON's options: a reply that is none of them counts as the nearest by TF-IDF."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"\b\w+\b")


def chosen_option(reply: str, options: Sequence[str]) -> str | None:
    """The option that a reply is, or is nearest to by the cosine of TF-IDF vectors over the options; `None` at no overlap.

    Case does not count; idf is smoothed, ln((1 + n) / (1 + df)) + 1. Single letters are words here: they name pictures.
    """
    plain = reply.strip()
    if plain in options:
        return plain
    texts = [Counter(_WORD.findall(option.lower())) for option in options]
    seen = Counter(word for text in texts for word in text)
    # scikit-learn's smoothed idf, which the official code uses by default.
    weight = {word: math.log((1 + len(options)) / (1 + count)) + 1 for word, count in seen.items()}

    def vector(text: Counter[str]) -> dict[str, float]:
        values = {word: count * weight[word] for word, count in text.items() if word in weight}
        norm = math.sqrt(sum(value * value for value in values.values()))
        return {word: value / norm for word, value in values.items()} if norm else {}

    ours = vector(Counter(_WORD.findall(plain.lower())))
    nearness = [sum(value * ours.get(word, 0.0) for word, value in vector(text).items()) for text in texts]
    best = max(nearness, default=0.0)
    return options[nearness.index(best)] if best > 0 else None
