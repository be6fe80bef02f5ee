"""A reasoned answer that ends in `Therefore the answer is: [names]` (DetGPT), and the names inside it."""

from __future__ import annotations

import re

_FIRST = re.compile(r"therefore,? the answer is:? *([\w\s,\[\]]+)", re.IGNORECASE)
_SECOND = re.compile(r"therefore,? the target objects? (?:are|is):? *([\w\s,\[\]]+)", re.IGNORECASE)


def names(text: str) -> list[str]:
    """Object names in order, without repeats; empty when the closing phrase is missing."""
    match = _FIRST.search(text) or _SECOND.search(text)
    if match is None:
        return []
    run = re.match(r"\s*\[?([\w\s,]*)", match.group(1))
    listed = [name.strip() for name in (run.group(1) if run else "").split(",")]
    return list(dict.fromkeys(name for name in listed if name))
