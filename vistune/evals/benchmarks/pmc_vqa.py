"""PMC-VQA: multiple choice on figures of medical papers (Zhang et al., 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.data.fields.lettered import lettered
from vistune.evals.benchmark import result_list, worded
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import OPTION_LETTER
from vistune.evals.reading.annotations import asked, medium, rows, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_letters
from vistune.sample import Sample


@dataclass(frozen=True)
class PmcVqa:
    """The manually checked test file has 2,000 questions of four options; name another CSV file to read that."""

    prompt: str = OPTION_LETTER

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "test_clean.csv", "images": "images"})
    answer_form: ClassVar[str] = "the option's letter"
    result_form: ClassVar[str] = '[{"question_id", "answer"}]'
    ids: ClassVar[str] = "the row's number, from 0"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"question_id": 0, "answer": "A"}]'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a row, numbered from 0."""
        path = locate(source, self.files["annotations"])
        folder = path.parent / self.files["images"]
        samples = []
        for number, (where, row) in enumerate(rows(path)):
            choices = [_text_after_letter(text_of(row, f"Choice {letter}", where), letter) for letter in "ABCD"]
            prompt = worded(self.prompt, question=text_of(row, "Question", where).strip(), options=lettered(choices))
            image, truth = text_of(row, "Figure_path", where), text_of(row, "Answer_label", where).strip()
            samples.append(asked(number, prompt, [medium(folder, image)], [truth], choices, {"figure": image}, where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """VQA's result list; the authors publish no format of their own."""
        return result_list(content, "question_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy."""
        return score_letters(samples, predictions, "letter")


def _text_after_letter(choice: str, letter: str) -> str:
    """Most choices repeat their letter: ` A:chest `."""
    return choice.strip().removeprefix(f"{letter}:").strip()
