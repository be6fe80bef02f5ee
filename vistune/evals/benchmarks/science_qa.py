"""ScienceQA: school science by multiple choice, half of it with an image (Lu et al., Learn to Explain, NeurIPS 2022)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.data.fields.typed import as_text, as_whole
from vistune.errors import InputError
from vistune.evals.benchmark import answers, field_of, result_list, worded
from vistune.evals.metrics.science_qa import OPTIONS, science_qa
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, letter_of, list_of, medium, text_of, texts_of, whole_of
from vistune.evals.reading.sources import Content, companion, load_json, locate
from vistune.evals.result import Result
from vistune.sample import Sample

_OPTION_LINE = re.compile(r"^([A-E])\. ", re.MULTILINE)
_GRADES = MappingProxyType({f"grade{grade}": "G1-6" if grade <= 6 else "G7-12" for grade in range(1, 13)})
_SUBJECTS = MappingProxyType({"natural science": "NAT", "social science": "SOC", "language science": "LAN"})


@dataclass(frozen=True)
class ScienceQa:
    """`split` is a list of `pid_splits.json`; the test split has 4,241 questions."""

    split: str = "test"
    prompt: str = "{question}\n{options}\nAnswer with the option's letter from the given choices directly."

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "problems.json", "splits": "pid_splits.json", "images": "test"}
    )
    answer_form: ClassVar[str] = "a letter"
    result_form: ClassVar[str] = '{"results": {id: option index}}, or LLaVA\'s [{"question_id", "text"}]'
    ids: ClassVar[str] = "the problem's key in the file"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "an object": '{"results": {"1": 0}}',
            "LLaVA's answers.jsonl": '{"question_id": "1", "prompt": "Which of these states is farthest north?", "text": "A"}',
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a question of the split, or of the conversations LLaVA made from it (`llava_test_CQM-A.json`)."""
        path = locate(source, self.files["annotations"])
        value = load_json(path)
        if isinstance(value, list):
            return [_from_conversation(record, f"{path}: record {index + 1}") for index, record in enumerate(value)]
        splits_path = companion(source, self.files["splits"])
        if splits_path is None:
            raise InputError(f"{path}: {self.files['splits']} is not beside it, so the {self.split} split is not known")
        identifiers = texts_of(load_json(splits_path), self.split, str(splits_path))
        return [self._from_problem(path, name, field_of(value, name, str(path))) for name in identifiers]

    def _from_problem(self, path: Path, name: str, problem: Any) -> Sample:
        where = f"{path}: problem {name}"
        choices = texts_of(problem, "choices", where)
        hint, image = problem.get("hint") or "", problem.get("image")
        number, subject = whole_of(problem, "answer", where), text_of(problem, "subject", where)
        grade = text_of(problem, "grade", where)
        if subject not in _SUBJECTS or grade not in _GRADES:
            raise InputError(f"{where}: there is no group of subject {subject!r} or of grade {grade!r}")
        question = "\n".join(as_text(part, where, "a hint") for part in (hint, text_of(problem, "question", where)) if part)
        options = "\n".join(f"{letter}. {choice}" for letter, choice in zip(OPTIONS, choices, strict=False))
        context = ["TXT"] * bool(hint) + ["IMG"] * bool(image) or ["NO"]
        return asked(
            name,
            worded(self.prompt, question=question, options=options),
            [medium(path.parent / self.files["images"], f"{name}/{image}")] if image else [],
            [letter_of(number, choices, where)],
            choices,
            meta={"groups": [_SUBJECTS[subject], *context, _GRADES[grade]]},
            origin=where,
        )

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The official result object (option indices; -1 is an answer that could not be read), or LLaVA's answers."""
        value = content.value
        if content.form == "json" and isinstance(value, dict) and isinstance(value.get("results"), dict):
            return [
                Prediction(name, OPTIONS[index] if 0 <= index < len(OPTIONS) else "")
                for name in value["results"]
                for index in [as_whole(value["results"][name], f"{content.path}: result {name}", "the option's number")]
            ]
        return result_list(content, "question_id", "text")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy over all questions first, then by subject, context and grade where the annotations know them."""
        return science_qa(
            answers(predictions),
            [sample.answers[0] for sample in samples],
            [len(sample.choices) for sample in samples],
            [sample.meta["groups"] for sample in samples],
        )


def _from_conversation(record: Any, where: str) -> Sample:
    turns = list_of(record, "conversations", where)
    if len(turns) != 2:
        raise InputError(f"{where}: has {len(turns)} turns, expected a question and its answer")
    question, answer = (text_of(turn, "value", where) for turn in turns)
    text = question.replace("<image>", "").strip()
    context = ["TXT"] * text.startswith("Context: ") + ["IMG"] * ("image" in record) or ["NO"]
    choices = [letter for letter in _OPTION_LINE.findall(text) if letter in OPTIONS]
    return asked(field_of(record, "id", where), text, [], [answer], choices, meta={"groups": context}, origin=where)
