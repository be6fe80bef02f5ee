"""LLaVA-Bench (In-the-Wild): 60 questions on 24 diverse images (Liu et al., NeurIPS 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import result_list
from vistune.evals.benchmarks.llava_bench_coco import bench_sample
from vistune.evals.judges.llava_bench import LlavaBench as Judge
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import label_of, records, text_of
from vistune.evals.reading.llava_reviews import is_review, reviewed_samples, reviews, score_reviewed
from vistune.evals.reading.sources import Content, load, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_judged
from vistune.sample import Sample


@dataclass(frozen=True)
class LlavaBenchInTheWild:
    """People described each image for the judge. `judgements` and `swap` are as in `llava_bench_coco`."""

    judgements: str = ""
    swap: bool = False

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "annotations": "questions.jsonl",
            "references": "answers_gpt4.jsonl",
            "context": "context.jsonl",
            "images": "images",
        }
    )
    answer_form: ClassVar[str] = "one or more sentences"
    result_form: ClassVar[str] = '[{"question_id", "text"}], or reviews [{"question_id", "category", "tuple"}]'
    ids: ClassVar[str] = "`question_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a line": '{"question_id": 0, "text": "Diamond Head."}',
            "reviews": '{"question_id": 0, "category": "llava_bench_conv", "tuple": [8.0, 7.5]}',
        }
    )
    departs: ClassVar[str] = "our own words ask the judge; stored reviews are scored as the official summary does"

    def read(self, source: str) -> list[Sample]:
        """A sample a question; the reference answer is its answer, the description is `meta["context"]`.

        A file of official reviews says its questions itself, which then can be scored, not asked.
        """
        path = locate(source, self.files["annotations"])
        if is_review(load(path)):
            return reviewed_samples(load(path))
        contexts = {
            text_of(record, "image", where): text_of(record, "caption", where)
            for where, record in records(path.with_name(self.files["context"]))
        }
        references = {
            label_of(record, "question_id", where): text_of(record, "text", where)
            for where, record in records(path.with_name(self.files["references"]))
        }
        folder = path.parent / self.files["images"]
        return [bench_sample(record, where, folder, references, contexts) for where, record in records(path)]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The answer file of LLaVA's own scripts, or the reviews that they write."""
        return reviews(content) if is_review(content) else result_list(content, "question_id", "text")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The relative score, then of each category."""
        return score_reviewed(samples, predictions) or score_judged(
            Judge(swap=self.swap), samples, predictions, self.judgements
        )
