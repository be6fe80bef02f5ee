"""WUPS (Malinowski & Fritz, A Multi-World Approach, NeurIPS 2014): accuracy with credit for related words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import TypeAlias

from vistune.errors import InputError
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.metrics.wordnet import open_wordnet
from vistune.evals.result import Result

Similarity: TypeAlias = Callable[[str, str], float]

PENALTY = 0.1


def wups(
    predictions: Sequence[str | None],
    references: Sequence[Sequence[str]],
    threshold: float = 0.9,
    similarity: Similarity | None = None,
) -> Result:
    """WUPS@threshold in percent; 0.9 and 0.0 are customary, -1 gives plain accuracy of answer sets.

    Answers are sets of words, separated by commas; a similarity below the threshold counts a tenth. `similarity` is the
    Wu-Palmer similarity of two words (`taxonomy_similarity`, or by default WordNet's through `nltk`). With several
    references the best counts. `None` is a missing answer.
    """
    measure = similarity or wordnet_similarity()

    def related(first: str, second: str) -> float:
        if first == second:
            return 1.0
        if threshold < 0:
            return 0.0
        value = measure(first, second)
        return value if value >= threshold else PENALTY * value

    scores = [
        0.0
        if answer is None
        else 100 * max((_set_score(_words(answer), _words(truth), related) for truth in accepted), default=0.0)
        for answer, accepted in aligned(predictions, references)
    ]
    return Result.mean(f"wups/{threshold:g}", f"WUPS@{threshold:g}", scores, missing=missing(predictions))


def _words(answer: str) -> list[str]:
    return [word.strip().lower() for word in answer.split(",") if word.strip()]


def _set_score(answer: Sequence[str], truth: Sequence[str], related: Similarity) -> float:
    """The smaller of the products of best memberships in the other set, in both directions; 1 for two empty sets."""
    if not answer or not truth:
        return float(not answer and not truth)
    forth = prod(max(related(word, other) for other in truth) for word in answer)
    back = prod(max(related(word, other) for other in answer) for word in truth)
    return min(forth, back)


def taxonomy_similarity(parents: dict[str, str]) -> Similarity:
    """Wu-Palmer similarity in a tree given as child -> parent: twice the depth of the lowest common ancestor over the sum.

    The root has depth 1. Words outside the tree are similar to themselves only. Raises `InputError` for a cycle.
    """

    def line(word: str) -> list[str]:
        path = [word]
        while path[-1] in parents:
            if parents[path[-1]] in path:
                raise InputError(f"the taxonomy has a cycle through {word!r}")
            path.append(parents[path[-1]])
        return path

    inside = set(parents) | set(parents.values())

    def similarity(first: str, second: str) -> float:
        if first not in inside or second not in inside:
            return float(first == second)
        ours, theirs = line(first), line(second)
        common = next((word for word in ours if word in theirs), None)
        return 0.0 if common is None else 2 * len(line(common)) / (len(ours) + len(theirs))

    return similarity


def wordnet_similarity() -> Similarity:
    """The best Wu-Palmer similarity of two words' noun senses in the WordNet of this machine (`open_wordnet`)."""
    wordnet = open_wordnet("WUPS")

    @lru_cache(None)
    def similarity(first: str, second: str) -> float:
        senses = wordnet.synsets(first, pos=wordnet.NOUN), wordnet.synsets(second, pos=wordnet.NOUN)
        return max((float(one.wup_similarity(two) or 0.0) for one in senses[0] for two in senses[1]), default=0.0)

    return similarity
