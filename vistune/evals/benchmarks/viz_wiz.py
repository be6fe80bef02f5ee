"""VizWiz: questions of blind people about their own photographs (Gurari et al., CVPR 2018)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import answers, result_list, worded
from vistune.evals.metrics.vqa_accuracy import vqa_accuracy
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, list_of, medium, records, text_of
from vistune.evals.reading.llava_answers import by_place, llava_answers
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class VizWiz:
    """The validation split has 4,319 questions, ten answers each; the test answers are hidden.

    `prompt` is LLaVA-1.5's, which names the answer of a third of the questions: `unanswerable`.
    """

    rule: str = "m4c"
    prompt: str = (
        "{question}\nWhen the provided information is insufficient, respond with 'Unanswerable'."
        "\nAnswer the question using a single word or phrase."
    )

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "Annotations/val.json", "images": "val"})
    answer_form: ClassVar[str] = "a word or phrase, or 'unanswerable'"
    result_form: ClassVar[str] = '[{"image", "answer"}], or LLaVA\'s [{"question_id", "prompt", "text"}]'
    ids: ClassVar[str] = "`image`, the photograph's file name"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a list": '[{"image": "VizWiz_val_00000000.jpg", "answer": "unanswerable"}]',
            "LLaVA's answers.jsonl": (
                '{"question_id": 0, "prompt": "Ok. There is another picture I hope it is a better one.", '
                '"text": "unanswerable"}\n{"question_id": 1, "prompt": "Can you tell me what this can is?", '
                '"text": "unanswerable"}'
            ),
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a photograph, named by its file: each has one question."""
        path = locate(source, self.files["annotations"])
        folder = path.parent.parent / self.files["images"]
        return [
            asked(
                text_of(record, "image", where),
                worded(self.prompt, question=text_of(record, "question", where)),
                [medium(folder, record["image"])],
                [text_of(answer, "answer", where) for answer in list_of(record, "answers", where)],
                meta={key: record[key] for key in ("question", "answer_type", "answerable") if key in record},
                origin=where,
            )
            for where, record in records(path)
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The challenge's result list, or LLaVA's answers in the order of the annotations."""
        found = llava_answers(content)
        if found is not None:
            return by_place(found, samples) or found
        return result_list(content, "image", "answer")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Soft accuracy."""
        return vqa_accuracy(answers(predictions), [sample.answers for sample in samples], self.rule)
