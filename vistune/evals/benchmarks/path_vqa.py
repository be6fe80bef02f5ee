"""PathVQA: questions about pathology images from textbooks (He et al., 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.data.records.safe_pickle import load_plain_pickle
from vistune.errors import InputError
from vistune.evals.benchmark import answers, result_list, worded
from vistune.evals.metrics.open_closed import open_closed
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked, medium, root_of, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class PathVqa:
    """The test split has 6,761 questions in the first release. Its files are pickles, read as plain data only."""

    split: Literal["train", "val", "test"] = "test"
    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "qas/test/test_qa.pkl", "images": "images/test"})
    answer_form: ClassVar[str] = "yes or no (closed questions), or a word or phrase"
    result_form: ClassVar[str] = '[{"question_id", "answer"}]'
    ids: ClassVar[str] = "the question's number in the file, from 0"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"question_id": 0, "answer": "yes"}]'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question, numbered from 0; a question is closed when its answer is yes or no."""
        relative = f"qas/{self.split}/{self.split}_qa.pkl"
        path = locate(source, relative)
        folder = root_of(path, relative) / "images" / self.split
        questions = load_plain_pickle(path)
        if not isinstance(questions, list):
            raise InputError(f"{path}: holds no list of questions")
        samples = []
        for number, record in enumerate(questions):
            where = f"{path}: record {number + 1}"
            prompt, truth = worded(self.prompt, question=text_of(record, "question", where)), text_of(record, "answer", where)
            image, closed = medium(folder, f"{text_of(record, 'image', where)}.jpg"), truth.lower() in ("yes", "no")
            samples.append(asked(number, prompt, [image], [truth], meta={"closed": closed}, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """VQA's result list; the authors publish no format of their own."""
        return result_list(content, "question_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Closed accuracy and open recall."""
        closed = [sample.meta["closed"] for sample in samples]
        return open_closed(answers(predictions), [sample.answers[0] for sample in samples], closed)
