"""CHAIR (Rohrbach et al., Object Hallucination in Image Captioning, EMNLP 2018): objects named that are not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from vistune.evals.metrics.chair_words import Rule, lemmas_of, mentioned
from vistune.evals.metrics.inputs import aligned, missing
from vistune.evals.result import Result, ratio


def chair(
    predictions: Sequence[str | None],
    present: Sequence[frozenset[str]],
    synonyms: Mapping[str, str],
    headline: Literal["CHAIRs", "CHAIRi"] = "CHAIRs",
    rule: Rule = "official",
) -> Result:
    """CHAIRs (captions with any hallucination), CHAIRi (hallucinated mentions over mentions; lower is better) and Recall (of
    the images' objects), in percent.

    `synonyms`: name -> object, the official `synonyms.txt`; `present[i]`: the objects in image i, from its segmentation and
    its reference captions (`mentioned` by the same rule). `rule`: how words are reduced, by `nltk_lemmas` (`official`) or by
    `rule_lemmas` (`words`). An image without a caption is in no mean, as officially, and counted as missing.
    """
    lemmas = lemmas_of(rule)
    pairs = [(mentioned(caption or "", synonyms, lemmas), objects) for caption, objects in aligned(predictions, present)]
    given = np.array([caption is not None for caption in predictions], dtype=np.float64)
    named = np.array([len(mentions) for mentions, _ in pairs], dtype=np.float64)
    wrong = np.array([sum(mention not in objects for mention in mentions) for mentions, objects in pairs], dtype=np.float64)
    found = np.array([len(objects & set(mentions)) for mentions, objects in pairs], dtype=np.float64)
    # Without a caption an image counts in no denominator, as in the official loop over captions.
    there = given * np.array([len(objects) for _, objects in pairs], dtype=np.float64)
    any_wrong = np.where(wrong > 0, 100.0, 0.0)
    statistics = {"CHAIRs": ratio(any_wrong, given), "CHAIRi": ratio(wrong, named, 100), "Recall": ratio(found, there, 100)}
    items = {"CHAIRs": any_wrong, "CHAIRi": 100 * np.divide(wrong, named, out=np.zeros(len(named)), where=named > 0)}
    everything = np.ones((1, len(named)))
    values = {name: float(statistic(everything)[0]) for name, statistic in statistics.items()}
    return Result(
        f"chair/{rule}",
        {headline: values[headline]} | values,
        items[headline],
        statistics[headline],
        missing=missing(predictions),
        details={"lower_is_better": True, "mentions": int(named.sum())},
    )
