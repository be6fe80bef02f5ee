"""3D-RAD: questions on chest CT volumes, open and closed, six tasks (Gai et al., NeurIPS 2025)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

import numpy as np

from vistune.errors import InputError
from vistune.evals.benchmark import answers, result_list
from vistune.evals.metrics.rad_3d import closed_answer, unigram_f, unigram_precision
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium, rows, text_of
from vistune.evals.reading.sources import Content
from vistune.evals.result import Result
from vistune.evals.scorers import with_means
from vistune.sample import Sample

LETTERS = "ABCD"
ABSENT = ("-", "")


@dataclass(frozen=True)
class Rad3d:
    """`kind`: `closed` questions are accuracy by letter, as the official evaluation reads it; `open` ones BLEU-1 and ROUGE-1.

    A source is the folder with `3DRAD/test/{task}/{file}.csv`, or one such table.
    """

    kind: Literal["closed", "open"] = "closed"

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "3DRAD/test", "volumes": "volumes"})
    answer_form: ClassVar[str] = "the letter and a period, then the option (closed); a phrase (open)"
    result_form: ClassVar[str] = '[{"question_id", "answer"}], question_id the task, the table and the row: Task3/Size/1'
    ids: ClassVar[str] = "the task's folder, the table and the row, from 1: `Task4_Existence_Detection/Lung nodule/1`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"question_id": "Task4_Existence_Detection/Lung nodule/1", "answer": "B. No"}]'}
    )
    departs: ClassVar[str] = (
        "empty answers to open questions count as 0, where the official code leaves them out; words are divided at every mark"
    )

    def read(self, source: str) -> list[Sample]:
        """A sample a question of the kind, its task in `meta`."""
        root = Path(source)
        tables = [root] if root.is_file() else sorted((root / self.files["annotations"]).glob("*/*.csv"))
        if not tables:
            raise InputError(
                f"{source}: has no {self.files['annotations']}/{{task}}/{{file}}.csv, where the download keeps them"
            )
        samples = [sample for table in tables for sample in self._table(table)]
        if not samples:
            raise InputError(f"{source}: has no {self.kind} question")
        return samples

    def _table(self, path: Path) -> list[Sample]:
        folder = path.parents[3] / self.files["volumes"] if len(path.parents) > 3 else path.parent / self.files["volumes"]
        samples = []
        for number, (where, row) in enumerate(rows(path), 1):
            closed = text_of(row, "QuestionType", where).lower().startswith("close")
            if closed != (self.kind == "closed"):
                continue
            options = [text_of(row, f"Choice {letter}", where) for letter in LETTERS] if closed else []
            question, answer = text_of(row, "Question", where), text_of(row, "Answer", where)
            if closed:
                letter = text_of(row, "AnswerChoice", where)
                if letter not in LETTERS or len(letter) != 1 or options[LETTERS.index(letter)] in ABSENT:
                    raise InputError(f"{where}: the answer {letter!r} is the letter of none of the options")
                shown = [f"{name}. {option}" for name, option in zip(LETTERS, options, strict=True) if option not in ABSENT]
                question, answer = f"{question} Choices: {' '.join(shown)}", f"{letter}. {options[LETTERS.index(letter)]}"
            task = path.parent.name
            meta = {"task": task, "question": text_of(row, "Question", where)}
            volume = medium(folder, text_of(row, "VolumeName", where), "points")
            samples.append(asked(f"{task}/{path.stem}/{number}", question, [volume], [answer], meta=meta, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """A result list by question; the official tables of results hold no ids."""
        return result_list(content, "question_id", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy, or BLEU-1 with ROUGE-1; then each task's."""
        given = answers(predictions)
        truths = [sample.answers[0] for sample in samples]
        if self.kind == "closed":
            return with_means(closed_answer(given, truths), samples, "task")
        bleu = np.array([100 * unigram_precision(reply or "", truth) for reply, truth in zip(given, truths, strict=True)])
        rouge = [100 * unigram_f(reply or "", truth) for reply, truth in zip(given, truths, strict=True)]
        mean = {"ROUGE-1": float(np.mean(rouge))} if rouge else {}
        result = Result.mean("3d-rad/open", "BLEU-1", bleu, values=mean, missing=predictions.count(None))
        return with_means(replace(result), samples, "task")
