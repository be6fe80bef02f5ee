"""LLaVA-Bench (COCO): 90 questions on 30 images, rated beside GPT-4's text-only answers (Liu et al., NeurIPS 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.errors import InputError
from vistune.evals.benchmark import field_of, result_list
from vistune.evals.judges.llava_bench import LlavaBench as Judge
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, label_of, list_of, medium, records, text_of, texts_of
from vistune.evals.reading.llava_reviews import is_review, reviewed_samples, reviews, score_reviewed
from vistune.evals.reading.sources import Content, load, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_judged
from vistune.sample import Sample


@dataclass(frozen=True)
class LlavaBenchCoco:
    """Thirty questions each of conversation, detailed description and complex reasoning.

    The number is the judge's: `judgements` names the replies of `vistune judge llava_bench`, `swap` says that they were
    asked in both orders.
    """

    judgements: str = ""
    swap: bool = False

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "annotations": "qa90_questions.jsonl",
            "references": "qa90_gpt4_answer.jsonl",
            "context": "caps_boxes_coco2014_val_80.jsonl",
            "images": "val2014",
        }
    )
    answer_form: ClassVar[str] = "one or more sentences"
    result_form: ClassVar[str] = '[{"question_id", "text"}], or reviews [{"question_id", "category", "tuple"}]'
    ids: ClassVar[str] = "`question_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a line": '{"question_id": 0, "text": "Brown and black."}',
            "reviews": '{"question_id": 0, "category": "llava_bench_conv", "tuple": [8.0, 7.5]}',
        }
    )
    departs: ClassVar[str] = "our own words ask the judge; stored reviews are scored as the official summary does"

    def read(self, source: str) -> list[Sample]:
        """A sample a question; the reference answer is its answer, captions and boxes are `meta["context"]`.

        A file of official reviews says its questions itself, which then can be scored, not asked.
        """
        path = locate(source, self.files["annotations"])
        if is_review(load(path)):
            return reviewed_samples(load(path))
        contexts = {
            text_of(record, "image", where): _context(record, where)
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


def bench_sample(record: Any, where: str, folder: Any, references: Mapping[Any, str], contexts: Mapping[str, str]) -> Sample:
    """A question of either LLaVA-Bench with its reference answer, the judge's context and its category."""
    identifier, image = label_of(record, "question_id", where), text_of(record, "image", where)
    if identifier not in references or image not in contexts:
        raise InputError(f"{where}: question {identifier} has no reference answer, or its image {image!r} no context")
    meta = {"category": text_of(record, "category", where), "context": contexts[image]}
    question, media = text_of(record, "text", where), [medium(folder, image)]
    return asked(identifier, question, media, [references[identifier]], meta=meta, origin=where)


def _context(record: Any, where: str) -> str:
    boxes = [
        f"{text_of(instance, 'category', where)}: {field_of(instance, 'bbox', where)}"
        for instance in list_of(record, "instances", where)
    ]
    return "\n".join([*texts_of(record, "captions", where), *boxes])
