"""The caption suite: the metrics asked for, over one tokenisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from vistune.evals.metrics.bleu import bleu_of
from vistune.evals.metrics.caption_set import CaptionSet
from vistune.evals.metrics.cider_d import cider_d_of
from vistune.evals.metrics.inputs import chosen
from vistune.evals.metrics.meteor import meteor_of
from vistune.evals.metrics.rouge_l import rouge_l_of
from vistune.evals.metrics.spice import spice_of
from vistune.evals.result import Result

METRICS: Mapping[str, Callable[[CaptionSet], Result]] = MappingProxyType(
    {"CIDEr": cider_d_of, "Bleu": bleu_of, "ROUGE_L": rouge_l_of, "METEOR": meteor_of, "SPICE": spice_of}
)
WITHOUT_JAVA = ("CIDEr", "Bleu", "ROUGE_L")


def captions(
    predictions: Sequence[str | None], references: Sequence[Sequence[str]], metrics: Sequence[str] = WITHOUT_JAVA
) -> Result:
    """The named metrics of one set of captions; the first is the headline, with its items and interval.

    Raises `InputError` for an unknown metric and for an image without references.
    """
    functions = [chosen(METRICS, name, "the caption suite") for name in metrics]
    tokens = CaptionSet.of(predictions, references)
    results = [function(tokens) for function in functions]
    return replace(
        results[0],
        rule=" ".join(result.rule for result in results),
        values={name: value for result in results for name, value in result.values.items()},
        details={name: value for result in results for name, value in result.details.items()},
    )
