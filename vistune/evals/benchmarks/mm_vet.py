"""MM-Vet: open questions that need several capabilities at once (Yu et al., ICML 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.errors import InputError
from vistune.evals.annotations import asked, medium, text_of, texts_of
from vistune.evals.benchmark import result_object
from vistune.evals.judges.mm_vet import MmVet as Judge
from vistune.evals.prediction import Prediction
from vistune.evals.result import Result
from vistune.evals.scorers import score_judged
from vistune.evals.sources import Content, load_json, locate
from vistune.sample import Sample


@dataclass(frozen=True)
class MmVet:
    """218 questions on 200 images. The number is the judge's: `judgements` names the replies of `vistune judge mm_vet`.

    Beside it stands what a rule can say: the share of the parts of the ground truth that are literally in the answer.
    """

    judgements: str = ""

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "mm-vet.json", "images": "images"})
    answer_form: ClassVar[str] = "anything from a number to several sentences"
    result_form: ClassVar[str] = "{question id: answer}"

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

    def recognise(self, content: Content) -> list[Prediction] | None:
        """The official result object."""
        return result_object(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The judge's total in percent, each capability's, and the rule's."""
        return score_judged(Judge(), samples, predictions, self.judgements, by_rule(samples, predictions))


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
