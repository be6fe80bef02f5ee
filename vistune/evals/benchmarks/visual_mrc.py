"""VisualMRC: questions on screenshots of web pages, answered in sentences (Tanaka et al., AAAI 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import field_of, result_list, worded
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, label_of, list_of, medium, records, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_captions
from vistune.sample import Sample


@dataclass(frozen=True)
class VisualMrc:
    """The test split has 6,708 questions; papers report the caption metrics, CIDEr first, METEOR and BERTscore beside it."""

    prompt: str = "{question}\nAnswer in a sentence."
    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "data/test.jsonl", "images": "images"})
    answer_form: ClassVar[str] = "a sentence"
    result_form: ClassVar[str] = '[{"question_id", "answer"}], question_id the page\'s id and the question\'s place: 12/0'
    ids: ClassVar[str] = "the page's `id` and the question's place in `qa_data`, from 0: `12/0`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"question_id": "12/0", "answer": "about tea"}]'})
    departs: ClassVar[str] = "the release has no evaluator: BERTscore, which papers report, too, is not computed"

    def read(self, source: str) -> list[Sample]:
        """A sample a question, named by its page and its place in `qa_data`."""
        path = locate(source, self.files["annotations"])
        folder = path.parent.parent / self.files["images"]
        samples = []
        for where, page in records(path):
            image = medium(folder, text_of(page, "image_filename", where))
            for number, record in enumerate(list_of(page, "qa_data", where)):
                here = f"{where}: qa_data {number + 1}"
                question, answer = (text_of(field_of(record, name, here), "text", here) for name in ("question", "answer"))
                identifier = f"{label_of(page, 'id', where)}/{number}"
                samples.append(asked(identifier, worded(self.prompt, question=question), [image], [answer], origin=here))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by question; the authors publish no format."""
        return result_list(content, "question_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The caption metrics."""
        return score_captions(samples, predictions, self.metrics)
