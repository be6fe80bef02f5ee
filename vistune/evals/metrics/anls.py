"""ANLS, average normalised Levenshtein similarity (Biten et al., Scene Text VQA, ICCV 2019), in its two readings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from rapidfuzz.distance import Levenshtein

from vistune.evals.metrics.inputs import aligned, chosen, missing
from vistune.evals.result import Result


def _pix2struct(answer: str, reference: str) -> float:
    distance = Levenshtein.normalized_distance(answer.lower(), reference.lower())
    # Strictly: a distance of one half is wrong here and right under `m4c`.
    return 1 - distance if distance < 0.5 else 0.0


def _m4c(answer: str, reference: str) -> float:
    similarity = 1 - Levenshtein.normalized_distance(answer.strip().lower(), reference.strip().lower())
    return similarity if similarity >= 0.5 else 0.0


RULES: Mapping[str, Callable[[str, str], float]] = MappingProxyType({"pix2struct": _pix2struct, "m4c": _m4c})


def anls(predictions: Sequence[str | None], references: Sequence[Sequence[str]], rule: str = "pix2struct") -> Result:
    """ANLS in percent: the best similarity over the references, 0 where it is too small; `None` is a missing answer.

    The rules differ at a similarity of exactly one half, which `m4c` keeps and `pix2struct` (DocVQA, InfographicVQA) does
    not, and in that `m4c` strips. Two empty texts are equal.
    """
    similarity = chosen(RULES, rule, "ANLS")
    scores = [
        0.0 if prediction is None else 100 * max((similarity(prediction, reference) for reference in accepted), default=0.0)
        for prediction, accepted in aligned(predictions, references)
    ]
    return Result.mean(f"anls/{rule}", "ANLS", scores, missing=missing(predictions))
