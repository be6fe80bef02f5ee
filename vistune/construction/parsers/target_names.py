"""A reasoned answer that ends in `Therefore the answer is: [names]` (DetGPT), and the names inside it."""

from __future__ import annotations

import re

_FIRST = re.compile(r"therefore,? the answer is:? *([\w\s,\[\]]+)", re.IGNORECASE)
_SECOND = re.compile(r"therefore,? the target objects? (?:are|is):? *([\w\s,\[\]]+)", re.IGNORECASE)

_SHOWN = re.compile(r"Therefore,? the (?:answer is|target objects are).*")


def names(text: str) -> list[str]:
    """Object names in order, without repeats; empty when the closing phrase is missing."""
    match = _FIRST.search(text) or _SECOND.search(text)
    if match is None:
        return []
    run = re.match(r"\s*\[?([\w\s,]*)", match.group(1))
    listed = [name.strip() for name in (run.group(1) if run else "").split(",")]
    return list(dict.fromkeys(name for name in listed if name))


def detector_prompt(text: str) -> str:
    """The names as an open-vocabulary detector is asked for them, in alphabetical order: `apple. tv remote.`"""
    return "".join(f"{name}. " for name in sorted(names(text))).rstrip()


def without_names(text: str) -> str:
    """The answer as it is shown: without the closing phrase and what follows it on its line."""
    return _SHOWN.sub("", text)
