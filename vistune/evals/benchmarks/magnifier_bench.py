"""MagnifierBench: tiny details of large pictures, four options a question (Li et al., OtterHD, 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmark import answers, result_list
from vistune.evals.metrics.magnifier_bench import magnifier_bench
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, embedded, list_of, medium, option_letter, records, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class MagnifierBench:
    """283 questions on 166 pictures. `instruction` ends in its options, `A. ..., B. ..., C. ..., D. ...`.

    The free-form half of the official protocol asks without options and has a language model say whether the answer is right:
    the judge `qa_match` does that.
    """

    prompt: str = "{instruction}"

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "magnifierbench.json", "images": "images"})
    answer_form: ClassVar[str] = "a letter"
    result_form: ClassVar[str] = '{id: {"model_response", "answer", ...}}, or [{"id", "answer"}]'
    ids: ClassVar[str] = "`id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "the answers file": (
                '{"PVSG_1": {"question": "What colour is the far cup?", "model_response": "The answer is B", "answer": "B"}}'
            ),
            "a list": '[{"id": "PVSG_1", "answer": "B"}]',
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question; its picture is base64 text, or the name of a file in `images`."""
        path = locate(source, self.files["annotations"])
        samples = []
        for where, record in records(path):
            pictures = []
            for picture in list_of(record, "images", where):
                named = isinstance(picture, str) and len(picture) < 256 and "." in picture
                pictures.append(medium(path.parent / self.files["images"], picture) if named else embedded(str(picture), where))
            instruction = text_of(record, "instruction", where)
            letter = option_letter(record, "answer", "ABCD", where)
            prompt = self.prompt.replace("{instruction}", instruction)
            meta = {"instruction": instruction}
            samples.append(asked(text_of(record, "id", where), prompt, pictures, [letter], meta=meta, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The answers file of the official evaluation, by question; or a result list."""
        value = content.value
        if content.form != "json" or not isinstance(value, dict) or not value:
            return result_list(content, "id", "answer")
        if not all(isinstance(record, dict) and "model_response" in record for record in value.values()):
            return None
        return [
            Prediction(name, text_of(record, "model_response", f"{content.path}: {name}")) for name, record in value.items()
        ]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy."""
        letters, questions = [sample.answers[0] for sample in samples], [str(sample.meta["instruction"]) for sample in samples]
        return magnifier_bench(answers(predictions), letters, questions)
