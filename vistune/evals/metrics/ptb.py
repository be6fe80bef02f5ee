"""Penn Treebank tokenisation as COCO's caption evaluation does it: tokens of the lower-cased text, punctuation dropped."""

from __future__ import annotations

import re

DROPPED = frozenset(["''", "'", "``", "`", "-lrb-", "-rrb-", "-lcb-", "-rcb-", ".", "?", "!", ",", ":", "-", "--", "...", ";"])
_TOKEN = re.compile(
    r"n't|'(?:s|re|ve|ll|d|m)\b|[^\W_]+(?:[-.][^\W_]+)*(?=n't)|[^\W_]+(?:[-'.][^\W_]+)*?(?='(?:s|re|ve|ll|d|m)\b)|[^\W_]+(?:[-.][^\W_]+)*|\S"
)


def tokenize(text: str) -> list[str]:
    """Tokens of one caption."""
    return [token for token in _TOKEN.findall(text.lower()) if token not in DROPPED]
