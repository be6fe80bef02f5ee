"""Several models' answers compared pair by pair by a judge, and ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from vistune.completer import Completer
from vistune.errors import InputError
from vistune.evals.judges.base import run
from vistune.evals.judges.pairwise import Pairwise
from vistune.evals.prediction import Prediction
from vistune.evals.reports.elo import Match, Standing, elo
from vistune.sample import Sample


def arena(
    samples: Sequence[Sample],
    answers: Mapping[str, Sequence[Prediction | None]],
    completer: Completer,
    replies: Path,
    show_images: bool = False,
    seed: int = 0,
) -> list[Standing]:
    """Standings of the models, best first; `answers` are in the samples' order, raw replies go to the file `replies`.

    Every sample is asked about in both orders for every pair of models. Raises `InputError` for fewer than two models.
    """
    if len(answers) < 2:
        raise InputError("comparing needs the predictions of two models or more")
    matches = []
    for first, second in combinations(answers, 2):
        judge = Pairwise(answers[second], show_images)
        found = run(judge, samples, answers[first], completer, replies)
        outcomes = judge.outcomes(samples, answers[first], found)
        matches += [Match(first, second, share) for share in outcomes if share is not None]
    return elo(matches, seed=seed)
