"""LLaVA-Med's cleaning: answers that speak of the caption they were made from lose those words, or are dropped.

(Li et al., LLaVA-Med, 2023, released post-processing; its lists of phrases as patterns of our own, held by recorded answers.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_TEXT = r"(?:provided )?(?:figure |image )?(?:description|caption|context|information)(?: provided)?"
_SEEN = r"(?:the (?:[a-z]+ ){1,3}and )?"  # "the image and the provided context"
_REFUSAL = re.compile(
    r"sorry|(?:having|have|without) access|access to the (?:actual )?image|without (?:seeing|the actual image)"
    r"|(?:cannot|can't|unable to) (?:directly )?(?:see|view)\b|unable to provide specific details"
    r"|not (?:mentioned|provided|specified) in the (?:figure |image )?caption|image (?:itself )?is not available",
    re.IGNORECASE,
)
_OPENING = re.compile(
    rf"(?:as an ai, [^.]*\. however, |while i cannot see [^,]*, |i cannot see the image, but |yes, |no, )?"
    rf"(?:(?:according (?:to|on)|based on|in) {_SEEN}(?:the )?{_TEXT}, "
    rf"|{_SEEN}(?:the )?{_TEXT} (?:describes|(?:mentions|suggests?|indicates?)(?: that)?) "
    rf"|the outcome mentioned in the {_TEXT} is that )",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    rf",? (?:but )?(?:as |which is (?:also )?)?(?:mentioned|indicated|described|suggested) (?:in|by) the {_TEXT}"
    rf"|,? (?:but )?(?:according to|based on|given|considering|found in|can be found in) the {_TEXT},?"
    rf"|(?:In|According to|Based on) the (?:context of the )?(?:[\w-]+ ){{0,3}}{_TEXT}, "
    rf"| the {_TEXT} (?:suggests|mentions|indicates)(?: that)?"
)
_STILL = re.compile("description|caption")


def cleaned(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The (question, answer) pairs that are left, answers without mentions of a description, caption or context.

    Refusals are dropped. A known opening is cut off and the rest capitalised, which makes its other letters small, as in the
    released data; a known aside is cut out. An answer that still mentions a description or caption is dropped.
    """
    kept = []
    for question, answer in pairs:
        if _REFUSAL.search(answer):
            continue
        if opening := _OPENING.match(answer):
            answer = answer[opening.end() :].capitalize()
        else:
            answer = _ASIDE.sub("", answer)
        if not _STILL.search(answer):
            kept.append((question, answer))
    return kept
