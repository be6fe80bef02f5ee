"""METEOR 1.5 (Denkowski & Lavie, Meteor Universal, WMT 2014), English ranking task, as COCO's evaluation runs it.

The Java program aligns; the score is computed here from its match statistics, so that the corpus score, which is one
score of summed statistics and no mean, can be resampled.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vistune.errors import InputError
from vistune.evals.metrics.caption_set import CaptionSet
from vistune.evals.metrics.java import jar, run_jar
from vistune.evals.result import Floats, Result

# Parameters of the English ranking task, and the weights of exact, stem, synonym and paraphrase matches.
ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
STAGES = np.array([1.0, 0.6, 0.8, 0.6])

_SEPARATOR = "|||"
_STATISTICS = 23  # lengths and function words (4), four stages (16), chunks, matched words (2)


def meteor(predictions: Sequence[str | None], references: Sequence[Sequence[str]]) -> Result:
    """Corpus METEOR in 0..1; `None` is an empty caption. Needs Java and the extra `captions`."""
    return meteor_of(CaptionSet.of(predictions, references))


def meteor_of(captions: CaptionSet) -> Result:
    """`meteor` of captions already tokenised."""
    path = jar("meteor/meteor-1.5.jar", "METEOR")
    references: list[list[str]] = [[] for _ in captions.hypotheses]
    for image, reference in zip(captions.image.tolist(), captions.references, strict=True):
        references[image].append(captions.text(reference))
    lines = "".join(
        f" {_SEPARATOR} ".join(["SCORE", *(_clean(text) for text in (*group, captions.text(tokens)))]) + "\n"
        for group, tokens in zip(references, captions.hypotheses, strict=True)
    )
    printed = run_jar(path, ["-", "-", "-stdio", "-l", "en", "-norm"], lines, "2G", "METEOR") if lines else ""
    statistics = [[float(number) for number in line.split()] for line in printed.splitlines() if line.strip()]
    if len(statistics) != len(captions) or any(len(row) != _STATISTICS for row in statistics):
        raise InputError(f"METEOR printed {len(statistics)} lines of statistics for {len(captions)} captions")
    table = np.array(statistics, dtype=np.float64).reshape(-1, _STATISTICS)
    # A caption matched whole and in one piece is not fragmented, alone or within the sum.
    table[(table[:, 20] == 1) & (table[:, 21:23] == table[:, 0:2]).all(axis=1), 20] = 0
    return Result(
        "meteor/1.5-en-rank",
        {"METEOR": float(_score(table.sum(axis=0, keepdims=True))[0])},
        _score(table),
        lambda weights: _score(weights @ table),
        unit="",
        missing=captions.missing,
    )


def _clean(text: str) -> str:
    return text.replace(_SEPARATOR, "").replace("  ", " ")


def _score(rows: Floats) -> Floats:
    """METEOR `[B]` of rows of statistics `[B, 23]`."""
    length, function = rows[:, 0:2], rows[:, 2:4]
    # Stage by stage: content words of the test and of the reference, then function words of both.
    stages = rows[:, 4:20].reshape(-1, 4, 2, 2)
    content, grammar = np.moveaxis(stages, 2, 0)
    matched = np.einsum("s,bsd->bd", STAGES, DELTA * content + (1 - DELTA) * grammar)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = (matched / (DELTA * (length - function) + (1 - DELTA) * function)).T
        mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
        fragmentation = rows[:, 20] / (rows[:, 21:23].sum(axis=1) / 2)
        score: Floats = np.nan_to_num(mean * (1 - GAMMA * fragmentation**BETA))
    return score
