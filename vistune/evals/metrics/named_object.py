"""Does a reply name the object (You et al., Ferret, ICLR 2024)? The name or one of its synonyms is in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from vistune.evals.metrics.inputs import aligned, chosen, missing
from vistune.evals.result import Result

_DENIED = (re.compile(r"\s+not[^,.]*[,.]"), re.compile(r"\s+no[^,.]*[,.]"))


def named_object(predictions: Sequence[str | None], names: Sequence[Sequence[str]], rule: str = "mentions") -> Result:
    """Percentage of replies that hold one of the item's names.

    - `mentions`: anywhere, letter case as it is, after phrases from no or not to the next comma or period were cut: the
      official rule, by which `no` also begins in `north`
    - `words`: as whole words, case aside

    Underscores are spaces; a name with a remark in parentheses is two, what is before it and what is in them.
    """
    reading = chosen(RULES, rule, "named object")
    scores = [
        100.0 * (reply is not None and any(reading(reply, name) for given in accepted for name in _names(given)))
        for reply, accepted in aligned(predictions, names)
    ]
    return Result.mean(f"named-object/{rule}", "accuracy", scores, missing=missing(predictions))


def _names(given: str) -> list[str]:
    return [part for piece in given.replace(")", "").split("(") if (part := piece.replace("_", " ").strip())]


def _mentions(reply: str, name: str) -> bool:
    for pattern in _DENIED:
        reply = pattern.sub("", reply)
    return name in reply


def _words(reply: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", reply.lower()) is not None


RULES: Mapping[str, Callable[[str, str], bool]] = MappingProxyType({"mentions": _mentions, "words": _words})
