"""MMBench: multiple choice, every rotation of the options asked (Liu et al., ECCV 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from vistune.evals.benchmark import result_list, worded
from vistune.evals.metrics.circular import circular
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import OPTION_LETTER
from vistune.evals.reading.annotations import asked, embedded, offered, option_letter, options_of, rows, text_of, whole_of
from vistune.evals.reading.llava_answers import llava_answers
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.evals.scorers import score_letters
from vistune.sample import Media, Sample

ROTATION = 1_000_000  # rows of one question differ by multiples of this in their index


@dataclass(frozen=True)
class MmBench:
    """The English development split asks 1,164 questions in 4,329 rows. `circular` counts a question as solved when every
    rotation is answered right (CircularEval); otherwise the unrotated rows are scored (VanillaEval).

    `rule` is `mmbench`, the part of the official extraction that needs no language model, or `letter`.
    """

    circular: bool = True
    rule: str = "mmbench"
    prompt: str = OPTION_LETTER

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "mmbench_dev_en_20231003.tsv"})
    answer_form: ClassVar[str] = "the option's letter"
    result_form: ClassVar[str] = '[{"index", "prediction"}], a table of them, or LLaVA\'s [{"question_id", "text"}]'
    ids: ClassVar[str] = "`index`; a rotation of a question has a million more than the one before"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a list": '[{"index": 241, "prediction": "B"}]',
            "a table": "index\tprediction\n241\tB",
            "LLaVA's answers.jsonl": '{"question_id": 241, "prompt": "Which colour is the square?", "text": "B"}',
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a row; its images are in the file."""
        path = locate(source, self.files["annotations"])
        samples = []
        pictures = {row.get("index", ""): row.get("image", "") for _, row in rows(path)}
        for where, row in rows(path):
            index = whole_of(row, "index", where)
            if not self.circular and index >= ROTATION:
                continue
            choices = options_of(row, {letter: letter for letter in "ABCD"}, where)
            hint = f"{row['hint']}\n" if row.get("hint") else ""
            question = worded(self.prompt, question=hint + text_of(row, "question", where), options=offered(choices))
            meta = {"question": index % ROTATION, "category": text_of(row, "category", where)}
            truth = option_letter(row, "answer", choices, where)
            samples.append(asked(index, question, self._picture(row, pictures, where), [truth], choices, meta, where))
        return samples

    def _picture(self, row: Mapping[str, str], pictures: Mapping[str, str], where: str) -> list[Media]:
        """The row's picture; the rotations of a question name the row that holds it instead. A sheet may come without any."""
        text = row.get("image", "")
        return [embedded(pictures.get(text, text), where)] if text else []

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The rows of the submission sheet, as a table or as JSON, or LLaVA's answers."""
        return result_list(content, "index", "prediction") or llava_answers(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy over questions, then over single rows, then over the questions of each category."""
        single = score_letters(samples, predictions, self.rule)
        result = circular(single, [sample.meta["question"] for sample in samples]) if self.circular else single
        weight = 1 / np.bincount(result.clusters)[result.clusters] if result.clusters is not None else np.ones(result.n)
        categories = np.array([sample.meta["category"] for sample in samples])
        means = {
            str(name): float(np.average(result.items[categories == name], weights=weight[categories == name]))
            for name in dict.fromkeys(categories)
        }
        return replace(result, values={**result.values, **means})
