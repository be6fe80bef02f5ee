"""VQA soft accuracy (Antol et al., VQA, 2015) in the four variants that published numbers use.

For each annotator, an answer scores min(matches among the *other* annotators / 3, 1); the item scores their mean.
The variants differ in what is normalised, and on one TextVQA file they print 49.09, 59.18, 61.25 and 61.254.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from vistune.errors import InputError
from vistune.evals.metrics.inputs import aligned, chosen, missing
from vistune.evals.metrics.vqa_text import normalize_m4c, normalize_vqa, strip_punctuation, unwrap
from vistune.evals.result import Result

Reading: TypeAlias = Callable[[str, Sequence[str]], tuple[str, Sequence[str]]]
Normaliser: TypeAlias = Callable[[str], str]


def vqa_accuracy(predictions: Sequence[str | None], references: Sequence[Sequence[str]], rule: str = "m4c") -> Result:
    """Soft accuracy in percent. `references`: every annotator's answer, an answer given twice listed twice.

    `rule` is one of

    - `m4c`: M4C and EvalAI; both sides normalised, possessives set apart
    - `official`: the challenge's code; both sides normalised only where the annotators do not all agree
    - `lavis`: answers always normalised, annotators only (and only their punctuation) where they do not all agree
    - `openflamingo`: both sides always normalised

    `None` is a missing answer and wrong. Raises `InputError` for an item with fewer than two annotators, since an answer
    is compared with the others only.
    """
    reading = chosen(_readings(), rule, "VQA accuracy")
    scores = []
    for number, (prediction, annotators) in enumerate(aligned(predictions, references)):
        if len(annotators) < 2:
            raise InputError(f"VQA accuracy compares annotators: item {number} has {len(annotators)}, at least 2 are needed")
        scores.append(0.0 if prediction is None else 100.0 * _soft_accuracy(*reading(prediction, annotators)))
    return Result.mean(f"vqa/{rule}", "accuracy", scores, missing=missing(predictions))


def _soft_accuracy(answer: str, annotators: Sequence[str]) -> float:
    matches = Counter(annotators)[answer]
    others = len(annotators) - matches
    # Leaving out an annotator who agrees costs one match; `matches` of them do, `others` do not.
    return (matches * min(1.0, (matches - 1) / 3) + others * min(1.0, matches / 3)) / len(annotators)


def _readings() -> Mapping[str, Reading]:
    """What each variant compares. Normalisers remember their answers for one run: annotators repeat themselves."""
    vqa = lru_cache(None)(lambda text: normalize_vqa(unwrap(text)))
    m4c = lru_cache(None)(normalize_m4c)
    punctuation = lru_cache(None)(strip_punctuation)

    def official(answer: str, annotators: Sequence[str]) -> tuple[str, Sequence[str]]:
        unwrapped = [unwrap(annotator) for annotator in annotators]
        if len(set(unwrapped)) == 1:
            return unwrap(answer), unwrapped
        return vqa(answer), [vqa(annotator) for annotator in annotators]

    def lavis(answer: str, annotators: Sequence[str]) -> tuple[str, Sequence[str]]:
        if len(set(annotators)) == 1:
            return vqa(answer), annotators
        return vqa(answer), [punctuation(annotator) for annotator in annotators]

    def always(normalise: Normaliser) -> Reading:
        return lambda answer, annotators: (normalise(answer), [normalise(annotator) for annotator in annotators])

    return {"m4c": always(m4c), "official": official, "lavis": lavis, "openflamingo": always(vqa)}
