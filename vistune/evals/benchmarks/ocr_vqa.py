"""OCR-VQA: questions about book covers (Mishra et al., ICDAR 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.errors import InputError
from vistune.evals.benchmark import result_list, worded
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked, medium, text_of, texts_of, whole_of
from vistune.evals.reading.sources import Content, load_json, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_exact
from vistune.sample import Sample

SPLITS = {"train": 1, "val": 2, "test": 3}


@dataclass(frozen=True)
class OcrVqa:
    """207,572 covers with 1,002,146 questions; a tenth of the covers are the test split."""

    split: Literal["train", "val", "test"] = "test"
    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "dataset.json", "images": "images"})
    answer_form: ClassVar[str] = "a word or phrase"
    result_form: ClassVar[str] = '[{"question_id", "answer"}]'
    ids: ClassVar[str] = "`<key of the cover>_<number of the question, from 0>`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"question_id": "1588296917_0", "answer": "mara holm"}]'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question, `<cover>_<number from 0>`; the file maps covers to lists of questions and answers."""
        path = locate(source, self.files["annotations"])
        covers = load_json(path)
        if not isinstance(covers, dict):
            raise InputError(f"{path}: expected an object that maps covers to their questions")
        samples = []
        for cover, record in covers.items():
            where = f"{path}: cover {cover}"
            split = whole_of(record, "split", where)
            if split not in SPLITS.values():
                raise InputError(f"{where}: field 'split' holds {split}, expected {', '.join(map(str, SPLITS.values()))}")
            if split != SPLITS[self.split]:
                continue
            questions, truths = texts_of(record, "questions", where), texts_of(record, "answers", where)
            if len(questions) != len(truths):
                raise InputError(f"{where}: {len(questions)} questions but {len(truths)} answers")
            image = f"{cover}{Path(text_of(record, 'imageURL', where)).suffix or '.jpg'}"
            for number, (question, truth) in enumerate(zip(questions, truths, strict=True)):
                media = [medium(path.parent / self.files["images"], image)]
                samples.append(asked(f"{cover}_{number}", worded(self.prompt, question=question), media, [truth], origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """VQA's result list with `<cover>_<number>` as question id; the authors publish no format of their own."""
        return result_list(content, "question_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Exact match without case."""
        return score_exact(samples, predictions, "lower")
