"""Exact match: the answer equals one of the accepted ones under a named normalisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from vistune.evals.metrics.inputs import aligned, chosen, missing
from vistune.evals.metrics.vqa_text import normalize_m4c
from vistune.evals.result import Result

NORMALISATIONS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "raw": str,
        "strip": str.strip,
        "lower": lambda text: text.strip().lower(),
        # GQA as LLaVA submits it: the final period goes, then case.
        "gqa": lambda text: text.rstrip(".").lower(),
        "vqa": normalize_m4c,
    }
)


def exact_match(predictions: Sequence[str | None], references: Sequence[Sequence[str]], rule: str = "lower") -> Result:
    """Percentage of answers equal to any of their references; `None` is a missing answer and wrong.

    `rule` is one of `NORMALISATIONS`, applied to both sides. Raises `InputError` for lengths that differ.
    """
    normalise = chosen(NORMALISATIONS, rule, "exact match")
    scores = [
        100.0 * (prediction is not None and normalise(prediction) in {normalise(reference) for reference in accepted})
        for prediction, accepted in aligned(predictions, references)
    ]
    return Result.mean(f"exact_match/{rule}", "accuracy", scores, missing=missing(predictions))
