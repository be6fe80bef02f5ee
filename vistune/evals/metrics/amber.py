"""AMBER (Wang et al., AMBER, 2023): hallucination in descriptions and in yes/no answers, where 'no' is positive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result, ratio

Similar: TypeAlias = Callable[[str, str], bool]

# The official code's guards against division by zero; they show in small samples.
_START, _GUARD, _EXISTENCE_GUARD = 0.001, 0.0001, 0.001
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "discriminative-hallucination": "existence",
        "discriminative-attribute-state": "attribute",
        "discriminative-attribute-number": "attribute",
        "discriminative-attribute-action": "attribute",
        "discriminative-relation": "relation",
    }
)


def amber_discriminative(predictions: Sequence[str | None], references: Sequence[bool], kinds: Sequence[str]) -> Result:
    """F1 of 'No' in percent first, then accuracy, precision and recall; the same by dimension in `details`.

    Only the exact answers `Yes` and `No` count, everything else is unparsed and wrong. Precision and recall are rounded to
    one decimal before F1, as officially. `references`: is yes the truth.
    """
    right = [answer == ("Yes" if yes else "No") for answer, yes in aligned(predictions, references)]
    said_no = [answer == "No" for answer in predictions]
    dimensions = [KINDS.get(kind, "relation") for kind in kinds]
    overall = _scores(right, said_no, references, _GUARD)
    details = {}
    for dimension in dict.fromkeys(dimensions):
        inside = [index for index, name in enumerate(dimensions) if name == dimension]
        guard = _EXISTENCE_GUARD if dimension == "existence" else _GUARD
        details[dimension] = _scores(_at(right, inside), _at(said_no, inside), _at(references, inside), guard)
    no, truth = np.array(said_no, dtype=float), 1 - np.array(references, dtype=float)
    return Result(
        "amber/discriminative",
        overall,
        100 * np.array(right, dtype=np.float64),
        ratio(2 * no * truth, no + truth, 100),
        missing=missing(predictions),
        unparsed=sum(answer not in ("Yes", "No", None) for answer in predictions),
        details=details,
    )


def _at(column: Sequence[bool], places: Sequence[int]) -> list[bool]:
    return [column[place] for place in places]


def _scores(right: Sequence[bool], said_no: Sequence[bool], yes: Sequence[bool], guard: float) -> dict[str, float]:
    hits = sum(no and not truth for no, truth in zip(said_no, yes, strict=True))
    # Rounded here and not at the end: the official F1 is computed from the rounded numbers.
    accuracy, precision, recall = (
        round(part / (_START + whole) * 100, 1)
        for part, whole in ((sum(right), len(right)), (hits, sum(said_no)), (hits, sum(not truth for truth in yes)))
    )
    f1 = round(2 * (precision / 100) * (recall / 100) / (precision / 100 + recall / 100 + guard) * 100, 1)
    return {"F1": f1, "accuracy": accuracy, "precision": precision, "recall": recall}


@dataclass(frozen=True, slots=True)
class Scene:
    """What an image shows (`truth`) and what a model is likely to imagine (`hallucinations`)."""

    truth: tuple[str, ...]
    hallucinations: tuple[str, ...]


def amber_generative(
    nouns: Sequence[Sequence[str] | None],
    scenes: Sequence[Scene],
    association: Mapping[str, Sequence[str]],
    safe_words: frozenset[str],
    similar: Similar,
) -> Result:
    """CHAIR first, then Cover, Hal and Cog, in percent with one decimal.

    `nouns[i]`: lemmatised nouns of description i, `None` when it is missing. `association`: object -> its other words;
    only words in it count. `similar`: do two words mean the same (officially a spaCy similarity over .8). Lower is better
    for all but Cover.
    """
    # Words outside the association file are no objects and count neither as right nor as imagined.
    vocabulary = {word for group in ([key, *words] for key, words in association.items()) for word in group}
    rows = [
        _describe(given or (), scene, association, vocabulary, safe_words, similar) for given, scene in aligned(nouns, scenes)
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    wrong, named, covered, truths, imagined, likely = table.sum(axis=0)
    free = float((table[:, 0] == 0).sum())
    return Result(
        "amber/generative",
        {
            "CHAIR": round(wrong / (_START + named) * 100, 1),
            "Cover": round(covered / (_START + truths) * 100, 1),
            "Hal": round(100 - free / (_START + len(rows)) * 100, 1),
            "Cog": round(imagined / (_START + likely) * 100, 1),
        },
        100 * np.divide(table[:, 0], table[:, 1], out=np.zeros(len(rows)), where=table[:, 1] > 0),
        ratio(table[:, 0], table[:, 1], 100),
        missing=missing(nouns),
    )


def _describe(
    nouns: Sequence[str],
    scene: Scene,
    association: Mapping[str, Sequence[str]],
    vocabulary: set[str],
    safe_words: frozenset[str],
    similar: Similar,
) -> tuple[int, int, int, int, int, int]:
    """Hallucinated and counted nouns, covered and all objects, imagined and all likely hallucinations of one description."""
    safe, risky = _owners(scene.truth, association), _owners(scene.hallucinations, association)
    covered: set[int] = set()
    imagined: set[int] = set()
    counted = [noun for noun in nouns if noun in vocabulary]
    wrong = 0
    for noun in counted:
        if noun in safe_words:
            continue
        exact = _first(safe, noun, str.__eq__)
        if exact is not None:
            covered.add(exact)
            continue
        # One noun may count twice, once by its own name and once by a word near it: the official code searches both.
        imagined |= {owner for owner in (_first(risky, noun, str.__eq__), _first(risky, noun, similar)) if owner is not None}
        near = _first(safe, noun, similar)
        if near is None:
            wrong += 1
        else:
            covered.add(near)
    return wrong, len(counted), len(covered), len(scene.truth), len(imagined), len(scene.hallucinations)


def _owners(objects: Sequence[str], association: Mapping[str, Sequence[str]]) -> list[tuple[str, int]]:
    """Every word with the number of its object, associated words before the objects' own names, as officially searched."""
    related = [(word, number) for number, name in enumerate(objects) for word in association.get(name, ())]
    # The order decides which object a word is credited to, and with it Cover.
    return related + [(name, number) for number, name in enumerate(objects)]


def _first(words: Sequence[tuple[str, int]], noun: str, same: Similar) -> int | None:
    return next((owner for word, owner in words if same(noun, word)), None)
