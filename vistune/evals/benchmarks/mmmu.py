"""MMMU: college problems with figures in thirty subjects (Yue et al., CVPR 2024)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vistune.data.fields.typed import as_label, as_object
from vistune.errors import InputError
from vistune.evals.benchmark import answers, field_of, result_object
from vistune.evals.metrics.groups import group_means
from vistune.evals.metrics.mmmu import Question, mmmu
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, text_of
from vistune.evals.reading.sources import Content, load_json, locate
from vistune.evals.result import Result
from vistune.sample import Sample

_SUBJECT = re.compile(r"^[a-z]+_(.+)_\d+$")

DOMAINS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Art and Design": ("Art", "Art_Theory", "Design", "Music"),
        "Business": ("Accounting", "Economics", "Finance", "Manage", "Marketing"),
        "Science": ("Biology", "Chemistry", "Geography", "Math", "Physics"),
        "Health and Medicine": (
            "Basic_Medical_Science",
            "Clinical_Medicine",
            "Diagnostics_and_Laboratory_Medicine",
            "Pharmacy",
            "Public_Health",
        ),
        "Humanities and Social Science": ("History", "Literature", "Sociology", "Psychology"),
        "Tech and Engineering": (
            "Agriculture",
            "Architecture_and_Engineering",
            "Computer_Science",
            "Electronics",
            "Energy_and_Power",
            "Materials",
            "Mechanical_Engineering",
        ),
    }
)
_DOMAIN_OF = MappingProxyType({subject: domain for domain, subjects in DOMAINS.items() for subject in subjects})


@dataclass(frozen=True)
class Mmmu:
    """`rule`: `strict`, `official-random` or `eval-only` of `mmmu`."""

    rule: Literal["strict", "official-random", "eval-only"] = "strict"

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "answer_dict_val.json"})
    answer_form: ClassVar[str] = "a letter, or a word or number"
    result_form: ClassVar[str] = '{id: answer}, or {subject: [{"id", "response"}]}'
    ids: ClassVar[str] = "`id`, as `validation_Accounting_1`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "an object": '{"validation_Accounting_1": "B"}',
            "by subject": '{"Accounting": [{"id": "validation_Accounting_1", "response": "B"}]}',
        }
    )
    departs: ClassVar[str] = "`strict` counts what cannot be read as wrong; the released draw is `official-random`"

    def read(self, source: str) -> list[Sample]:
        """A sample a question: from the answer dictionary (options unknown), or from an `output.json` (options known)."""
        path = locate(source, self.files["annotations"])
        value = load_json(path)
        kinds = {type(part) for part in value.values()} if isinstance(value, dict) else set()
        if kinds - {dict} and kinds - {list}:
            odd = next(name for name, part in value.items() if not isinstance(part, list | dict) or kinds == {list, dict})
            raise InputError(
                f"{path}: {odd!r} holds {str(value[odd])[:60]!r}; expected a question under each id, or a list of them"
            )
        if kinds == {dict}:
            value = [{"id": name, "answer": record.get("ground_truth"), **record} for name, record in value.items()]
        return [_sample(record, f"{path}: record {index + 1}") for index, record in enumerate(_records(value))]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """`total_val_output.json`, or the outputs of one or all subjects."""
        records = list(_records(content.value)) if content.form == "json" else []
        if records and all(isinstance(record, dict) and {"id", "response"} <= record.keys() for record in records):
            return [Prediction(record["id"], record["response"]) for record in records]
        return result_object(content)

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Accuracy over instances first, then over each domain; subjects in `details`."""
        questions = [Question(s.answers, s.meta["multiple_choice"], s.choices) for s in samples]
        result = mmmu(answers(predictions), questions, self.rule)
        subjects = [[s.meta["subject"]] for s in samples]
        domains = group_means(result.items, [[_DOMAIN_OF[subject]] if subject in _DOMAIN_OF else [] for (subject,) in subjects])
        return replace(
            result,
            values={**result.values, **domains},
            details={"subjects": group_means(result.items, subjects), "correct": int(result.items.sum())},
        )


def _records(value: Any) -> Iterator[Any]:
    """The records of a list, or of the lists of an object, in order."""
    for part in value.values() if isinstance(value, dict) else [value]:
        yield from part if isinstance(part, list) else []


def _sample(record: Any, where: str) -> Sample:
    identifier, answer = field_of(record, "id", where), field_of(record, "answer", where)
    kind = field_of(record, "question_type", where)
    if not isinstance(answer, str | list):
        raise InputError(f"{where}: the answer is {answer!r}, expected text or a list of texts")
    subject = _SUBJECT.match(text_of(record, "id", where))
    return asked(
        identifier,
        record.get("question"),
        answers=[answer] if isinstance(answer, str) else answer,
        choices=[
            as_label(text, where, "an option") for text in as_object(record.get("index2ans", {}), where, "'index2ans'").values()
        ],
        meta={"multiple_choice": kind == "multiple-choice", "subject": subject[1] if subject else ""},
        origin=where,
    )
