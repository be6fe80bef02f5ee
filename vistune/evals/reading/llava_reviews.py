"""LLaVA-Bench's review files: what the official scripts keep of GPT-4's ratings, a line a question.

    {"question_id": 0, "category": "llava_bench_conv", "content": "7 9\\nAssistant 1 ...", "tuple": [7.0, 9.0]}

The tuple is the reference's rating, then the model's; -1 in both says that the reply could not be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vistune.data.fields.typed import as_number
from vistune.errors import InputError
from vistune.evals.judges.llava_bench import relative_score
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, label_of, text_of
from vistune.evals.reading.sources import Content
from vistune.evals.result import Result
from vistune.evals.scorers import judged_before
from vistune.sample import Sample


def is_review(content: Content) -> bool:
    """Is it a file of reviews?"""
    value = [content.value] if isinstance(content.value, dict) else content.value
    if content.form not in ("json", "jsonl") or not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return False
    return "question_id" in value[0] and bool({"tuple", "score"} & value[0].keys())


def reviewed_samples(content: Content) -> list[Sample]:
    """The questions that a file of reviews is about, with their categories; what was asked is not in it."""
    return [
        asked(label_of(record, "question_id", where), None, meta={"category": _category(record, where)}, origin=where)
        for where, record in _records(content)
    ]


def reviews(content: Content) -> list[Prediction]:
    """The ratings as predictions' judgements; the answers themselves are not in the file."""
    return [
        Prediction(label_of(record, "question_id", where), "", extras={"judgement": _ratings(record, where)})
        for where, record in _records(content)
    ]


def score_reviewed(samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result | None:
    """The relative score of stored reviews as the official summary computes it, `None` when the predictions are answers.

    An unread reply stays in the means as -1, as officially, and is counted as unparsed. A missing one is in no mean.
    """
    given = judged_before(predictions)
    if given is None:
        return None
    rated = np.array([ratings is not None for ratings in given], dtype=bool)
    ratings = np.array([[0.0, 0.0] if pair is None else pair for pair in given], dtype=np.float64).reshape(-1, 2)
    # The official review script writes -1 for a reply that it could not read.
    unread = int((ratings[rated] < 0).any(axis=1).sum())
    return relative_score("llava_bench/reviews", samples, ratings, rated, unparsed=unread, missing=int((~rated).sum()))


def _records(content: Content) -> list[tuple[str, Any]]:
    value = [content.value] if isinstance(content.value, dict) else content.value
    return [(content.record(index), record) for index, record in enumerate(value)]


def _category(record: Any, where: str) -> str:
    return text_of(record, "category", where).removeprefix("llava_bench_") if "category" in record else "all"


def _ratings(record: Any, where: str) -> list[float]:
    name = "tuple" if "tuple" in record else "score"
    pair = record.get(name)
    if not isinstance(pair, list) or len(pair) != 2:
        raise InputError(f"{where}: field {name!r} holds {str(pair)[:60]!r}, expected two ratings")
    return [as_number(rating, where, "a rating") for rating in pair]
