"""What a benchmark is: one short file in `benchmarks/` whose class answers four questions.

    where are its files      `files`, in the official download's layout; `read(source)` makes Samples of them
    what is asked            the prompt, in each Sample's turns; `answer_form` says what answers should look like
    which answers exist      `recognise(content)` turns the official result file into Predictions
    what is the number       `score(samples, predictions)`

The class is a frozen dataclass named after the file (`vqa_v2.py` holds `VqaV2`); its fields are the variants a user may
choose (`rule`, `prompt`, `split`, ...), each with the default that published numbers use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from vistune.errors import InputError
from vistune.evals.prediction import Prediction, identifier_of
from vistune.evals.reading.sources import Content, header_of, table_rows
from vistune.evals.result import Result
from vistune.sample import Sample


class Benchmark(Protocol):
    """The contract of a file in `benchmarks/`."""

    files: ClassVar[Mapping[str, str]]
    """What each file is -> its path in the official download; `annotations` is the one that `--annotations` may name."""

    answer_form: ClassVar[str]
    """What an answer should look like, for a person: 'a letter', 'a word or phrase', 'one box, xyxy in [0, 1]'."""

    result_form: ClassVar[str]
    """What the official result file looks like, for a person: '[{"question_id", "answer"}]'."""

    def read(self, source: str) -> list[Sample]:
        """The samples, in the official order: id, media (by path, not opened), one user turn, answers, choices, meta.

        `source` is the annotation file, or the folder of the official layout. A sample whose question is in a file that
        is not there has no turns: it can be scored, not asked. Raises `InputError` naming file and record.
        """
        ...

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """Predictions from an official result format, or `None` when the content is in none.

        `samples` are for formats that name answers otherwise than by the samples' ids: by place, or by the question.
        """
        ...

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The number, with an item a sample. `predictions[i]` belongs to `samples[i]`; `None` is missing and wrong."""
        ...


class Described(Benchmark, Protocol):
    """What every benchmark of this package tells a person besides (`vistune benchmarks NAME`)."""

    ids: ClassVar[str]
    """How a sample's id is formed from the official files, for a person: '`<split>/<question_id>`'."""

    examples: ClassVar[Mapping[str, str]]
    """Each result form's name -> a file in it with one answer: `{"a list": '[{"question_id": 1, "answer": "no"}]'}`."""

    departs: ClassVar[str]
    """Where the number is made otherwise than by the official code, '' where it is not."""


def answers(predictions: Sequence[Prediction | None]) -> list[str | None]:
    """The answers' text, `None` where a prediction is missing: what most metrics take."""
    return [None if prediction is None else prediction.answer for prediction in predictions]


def worded(prompt: str, **values: str) -> str:
    """A prompt with its `{name}`s replaced; other braces, in the prompt or in a question, stay as they are."""
    for name, value in values.items():
        if not isinstance(value, str):
            raise InputError(f"the {name} of a question is {str(value)[:60]!r}, expected text")
    pattern = re.compile("|".join(re.escape("{" + name + "}") for name in values))
    return pattern.sub(lambda found: values[found[0][1:-1]], prompt)


def result_list(content: Content, identifier: str, answer: str, *, empty: bool = False) -> list[Prediction] | None:
    """Predictions from a list of objects with these two keys, the usual result format; `None` when it is not one.

    A comma- or tab-separated table with these two columns is one, too. Recognised by the first record; a later record without
    the keys, or with another type, is an `InputError`. One such object alone is JSONL of one line. With `empty`, a reply that
    is null or an object (what some scripts write for a failed request) is an empty answer, as the official code takes it.
    """
    value = [content.value] if isinstance(content.value, dict) else content.value
    if content.form == "text" and value:
        columns = set(header_of(str(value[0])))
        value = table_rows(content) if {identifier, answer} <= columns else []
    if content.form == "folder" or not isinstance(value, list) or not value:
        return None
    if not isinstance(value[0], dict) or not {identifier, answer} <= value[0].keys():
        return None
    found = []
    for index, record in enumerate(value):
        if empty and isinstance(record, dict) and isinstance(record.get(answer, ""), dict | None):
            record = {**record, answer: ""}
        found.append(prediction_of(record, identifier, answer, content.record(index)))
    return found


def prediction_of(record: Any, identifier: str, answer: str, where: str) -> Prediction:
    """One record of a result list; its other keys become the extras. Raises `InputError` naming `where` and the key."""
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected an object with {identifier!r} and {answer!r}, found {type(record).__name__}")
    for key in (identifier, answer):
        if key not in record:
            raise InputError(f"{where}: field {key!r} is missing")
    if not isinstance(record[answer], str):
        raise InputError(f"{where}: field {answer!r} holds {record[answer]!r}, expected text")
    extras = {key: value for key, value in record.items() if key not in (identifier, answer)}
    return Prediction(identifier_of(record[identifier], where, identifier), record[answer], extras=extras)


def result_object(content: Content) -> list[Prediction] | None:
    """Predictions from one object that maps ids to answers' text; `None` when the content is anything else."""
    value = content.value
    if content.form != "json" or not isinstance(value, dict) or not value:
        return None
    if not all(isinstance(answer, str) for answer in value.values()):
        return None
    return [Prediction(identifier_of(name, str(content.path), "the id"), answer) for name, answer in value.items()]


def field_of(record: Any, name: str, where: str) -> Any:
    """A field of an annotation. Raises `InputError` naming the record when it is absent or the record is no object."""
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected an object, found {type(record).__name__}")
    if name not in record:
        raise InputError(f"{where}: field {name!r} is missing")
    return record[name]
