"""AI2D: questions about grade-school science diagrams (Kembhavi et al., ECCV 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from vistune.data.fields.lettered import lettered
from vistune.errors import InputError
from vistune.evals.benchmark import field_of, result_list, worded
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import OPTION_LETTER
from vistune.evals.reading.annotations import asked, letter_of, medium, text_of, texts_of, whole_of
from vistune.evals.reading.sources import Content, load_json, read_text
from vistune.evals.result import Result
from vistune.evals.scorers import score_letters
from vistune.sample import Sample


@dataclass(frozen=True)
class Ai2d:
    """The test split (the diagrams in `ai2d_test_ids.csv`) has 3,088 questions of four options."""

    prompt: str = OPTION_LETTER

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "ai2d_test_ids.csv", "questions": "questions", "images": "images"}
    )
    answer_form: ClassVar[str] = "the option's letter"
    result_form: ClassVar[str] = '[{"question_id", "answer"}]'
    ids: ClassVar[str] = "`questionId` of the diagram's file, as `0.png-0`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"question_id": "0.png-0", "answer": "B"}]'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question. `source` is the folder, or its `ai2d_test_ids.csv`: the questions are a file a diagram."""
        path = Path(source)
        ids = path if path.is_file() else path / self.files["annotations"]
        samples = []
        for line in read_text(ids).split():
            name = f"{line.strip()}.png"
            questions = ids.parent / self.files["questions"] / f"{name}.json"
            entries = field_of(load_json(questions), "questions", str(questions))
            if not isinstance(entries, dict):
                raise InputError(f"{questions}: 'questions' maps each question's text to its options")
            for number, (question, record) in enumerate(entries.items(), 1):
                where = f"{questions}: question {number}"
                choices = texts_of(record, "answerTexts", where)
                truth = letter_of(whole_of(record, "correctAnswer", where), choices, where)
                prompt = worded(self.prompt, question=question, options=lettered(choices))
                image = medium(ids.parent / self.files["images"], name)
                samples.append(asked(text_of(record, "questionId", where), prompt, [image], [truth], choices, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """VQA's result list; the authors publish no format of their own."""
        return result_list(content, "question_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy."""
        return score_letters(samples, predictions, "letter")
