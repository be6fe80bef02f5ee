"""Open questions about films with answers of a single word: the ground that MSVD-QA, MSRVTT-QA and ActivityNet-QA share."""

from __future__ import annotations

from collections.abc import Sequence

from vistune.evals.benchmark import worded
from vistune.evals.judges.qa_match import QaMatch
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked
from vistune.evals.result import Result
from vistune.evals.scorers import score_exact, score_judged
from vistune.sample import Media, Sample


def film_sample(identifier: object, question: str, film: Media, answer: str, where: str) -> Sample:
    """One question about one film; the bare question stays in `meta`, for a judge."""
    return asked(
        identifier, worded(SHORT_ANSWER, question=question), [film], [answer], meta={"question": question}, origin=where
    )


def score_video_qa(samples: Sequence[Sample], predictions: Sequence[Prediction | None], judgements: str) -> Result:
    """Exact match, as the data sets' authors score; with `judgements`, the judge's accuracy and score first, then that."""
    exact = score_exact(samples, predictions, "gqa")
    return score_judged(QaMatch(), samples, predictions, judgements, exact) if judgements else exact
