"""Rewriting by rule: what is said is in the text itself, and only its form changes."""

from __future__ import annotations

import re

from vistune.construction.offline.asked import Asked, Rule, pairs, sentence, told
from vistune.construction.parsers import triple_equals
from vistune.construction.parsers.base import Item

_SENTENCE = re.compile(r"[^.!?]+[.!?]")
_FEW = 3  # words; what has more is a phrase or a sentence already


def fuller(asked: Asked) -> list[Item]:
    """Every question as it is, and its answer as a whole sentence that says the same."""
    said = [pair for item in triple_equals.parse(asked.record.notes["said"]).items for pair in item.pairs]
    return pairs((question, _full(answer)) for question, answer in said)


def _full(answer: str) -> str:
    bare = answer.strip().rstrip(".")
    return sentence(f"the answer is {bare}" if len(bare.split()) <= _FEW else bare)


def repaired(asked: Asked) -> list[Item]:
    """Without repeated sentences and without one that breaks off."""
    whole = [found.strip() for found in _SENTENCE.findall(asked.record.notes["caption"])]
    return told(" ".join(dict.fromkeys(whole)))


def curt(asked: Asked) -> list[Item]:
    """As a careless writer would put it: small letters, no full stop, no articles."""
    words = re.findall(r"[^\s.,;:!?]+", asked.record.notes["original"].lower())
    return told(" ".join(word for word in words if word not in ("a", "an", "the")) or asked.record.notes["original"].lower())


RULES: dict[str, Rule] = {"rewrite": fuller, "repair": repaired, "distort": curt}
