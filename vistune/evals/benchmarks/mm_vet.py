"""MM-Vet: open questions that need several capabilities at once (Yu et al., ICML 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.data.fields.typed import as_number
from vistune.errors import InputError
from vistune.evals.benchmark import result_object
from vistune.evals.judges.mm_vet import MmVet as Judge
from vistune.evals.judges.mm_vet import mm_vet_result
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium, text_of, texts_of
from vistune.evals.reading.llava_answers import llava_answers
from vistune.evals.reading.sources import Content, load_json, locate
from vistune.evals.result import Result
from vistune.evals.scorers import judged_before, score_judged
from vistune.sample import Sample


@dataclass(frozen=True)
class MmVet:
    """218 questions on 200 images. The number is the judge's: `judgements` names the replies of `vistune judge mm_vet`.

    Beside it stands what a rule can say: the share of the parts of the ground truth that are literally in the answer.
    """

    judgements: str = ""

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "mm-vet.json", "images": "images"})
    answer_form: ClassVar[str] = "anything from a number to several sentences"
    result_form: ClassVar[str] = '{question id: answer}, or grades {question id: {"score": [...]}}'
    ids: ClassVar[str] = "the question's key in the file, as `v1_0`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "an object": '{"v1_0": "x is -1 or -5."}',
            "grades": '{"v1_0": {"model": "m", "content": ["1.0"], "score": [1.0]}}',
            "LLaVA's answers.jsonl": '{"question_id": "v1_0", "prompt": "What is x in the equation?", "text": "-1 or -5"}',
        }
    )
    departs: ClassVar[str] = "our own words ask the judge; stored grades are scored as the official evaluator does"

    def read(self, source: str) -> list[Sample]:
        """A sample a question; its answer keeps the marks `<AND>` and `<OR>`."""
        path = locate(source, self.files["annotations"])
        value = load_json(path)
        if not isinstance(value, dict):
            raise InputError(f"{path}: expected an object that maps question ids to questions")
        return [
            asked(
                identifier,
                text_of(record, "question", where),
                [medium(path.parent / self.files["images"], text_of(record, "imagename", where))],
                [text_of(record, "answer", where)],
                meta={"capability": texts_of(record, "capability", where)},
                origin=where,
            )
            for identifier, record in value.items()
            for where in [f"{path}: question {identifier}"]
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The official result object, or the grades that the official evaluator writes; LLaVA's answers, too."""
        value = content.value
        if content.form == "json" and isinstance(value, dict) and value and all(map(_is_grade, value.values())):
            return [
                Prediction(name, "", extras={"judgement": _grades(grade, f"{content.path}: question {name}")})
                for name, grade in value.items()
            ]
        answered = llava_answers(content)
        if answered is not None:
            return [replace(prediction, id=f"v1_{prediction.id.removeprefix('v1_')}") for prediction in answered]
        return result_object(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The judge's total in percent, each capability's, and the rule's; of official grades, their mean over the runs."""
        graded = judged_before(predictions)
        if graded:
            return mm_vet_result("mm_vet/grades", samples, graded)
        return score_judged(Judge(), samples, predictions, self.judgements, by_rule(samples, predictions))


def _is_grade(value: object) -> bool:
    return isinstance(value, dict) and "score" in value


def _grades(value: Mapping[str, Any], where: str) -> list[float]:
    """The scores that several runs gave, each from 0 to 1; one run may stand without a list."""
    runs = value["score"] if isinstance(value["score"], list) else [value["score"]]
    scores = [as_number(score, where, "a score") for score in runs]
    if not scores or not all(0 <= score <= 1 for score in scores):
        raise InputError(f"{where}: the scores are {str(runs)[:60]}, expected numbers from 0 to 1")
    return scores


def by_rule(samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
    """Percent of the `<AND>` parts of which an `<OR>` alternative is in the answer, without case."""
    scores = [
        0.0 if prediction is None else 100 * _share(prediction.answer, sample.answers[0])
        for sample, prediction in zip(samples, predictions, strict=True)
    ]
    return Result.mean("mm_vet/contains", "contains", scores, missing=predictions.count(None))


def _share(answer: str, truth: str) -> float:
    parts = [[option.strip().lower() for option in part.split("<OR>")] for part in truth.split("<AND>")]
    return sum(any(option in answer.lower() for option in part) for part in parts) / len(parts)
