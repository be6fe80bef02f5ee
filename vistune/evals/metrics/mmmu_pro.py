"""MMMU-Pro (Yue et al., ACL 2025): reading a letter out of a reply in the steps of its official evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase

_ENDS = ",.!?;:'"


def parse_reply(reply: str, options: Sequence[str]) -> str | None:
    """The letter that a reply names, or `None` where the official code draws an option at random.

    Steps, the first that finds a letter counts: the one letter after the last `Answer:`; `(A)`; `A` before a space, also at
    the end of a word; `A` before a full stop; an option's text in a reply of over five words. Of several letters that one
    step finds, the one named last.
    """
    letters = ascii_uppercase[: len(options)]
    _, mark, conclusion = reply.rpartition("Answer:")
    named = [letter for letter in letters if letter in conclusion] if mark else []
    if len(named) == 1:
        return named[0]
    for end in _ENDS:
        reply = reply.strip(end)
    reply = f" {reply} "
    bracketed = [letter for letter in letters if f"({letter})" in reply]
    if bracketed:
        return max(bracketed, key=lambda letter: reply.rfind(f"({letter})"))
    for form in ("{} ", "{}."):
        if found := [letter for letter in letters if form.format(letter) in reply]:
            # A letter that never stands between spaces is at -1; of several such the first in the alphabet counts.
            return max(found, key=lambda letter: reply.rfind(f" {letter} "))
    if len(reply.split()) > 5:
        lowered = reply.lower()
        told = [letter for letter, option in zip(letters, options, strict=False) if option.lower() in lowered]
        if told:
            return max(told, key=lambda letter: lowered.rfind(options[letters.index(letter)].lower()))
    return None
