"""`Prediction`: one answer of a model, and the JSONL file that is the boundary between running a model and scoring it.

    {"id": "42", "answer": "a red bus", "prompt": "What is it?", "extras": {"model": "..."}}

A run appends lines through `vistune.journal.Journal` (`journal.append(prediction.to_json())`), so that it can stop
anywhere and resume by id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.files import read_jsonl

FIELDS = frozenset({"id", "answer", "prompt", "extras"})


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model answered to one sample. `extras` is plain JSON: model, generation arguments, cache key, raw text, ..."""

    id: str
    answer: str
    prompt: str = ""
    extras: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON without the empty fields; `from_json` is its inverse."""
        record: dict[str, Any] = {"id": self.id, "answer": self.answer}
        if self.prompt:
            record["prompt"] = self.prompt
        if self.extras:
            record["extras"] = dict(self.extras)
        return record

    @classmethod
    def from_json(cls, record: Any, where: str) -> Prediction:
        """Build from one line's value. A whole number is accepted as id. Raises `InputError` naming `where` and the field."""
        if not isinstance(record, dict):
            raise InputError(
                f"{where}: a prediction is an object with the fields 'id' and 'answer', not {type(record).__name__}"
            )
        for name in ("id", "answer"):
            if name not in record:
                raise InputError(f"{where}: field {name!r} is missing")
        unknown = sorted(set(record) - FIELDS)
        if unknown:
            raise InputError(
                f"{where}: unknown field {unknown[0]!r}; put what is not {', '.join(sorted(FIELDS))} under 'extras'"
            )
        identifier = identifier_of(record["id"], where, "id")
        answer, prompt, extras = record["answer"], record.get("prompt", ""), record.get("extras", {})
        for name, value, kind in (("answer", answer, str), ("prompt", prompt, str), ("extras", extras, dict)):
            if not isinstance(value, kind):
                raise InputError(
                    f"{where}: field {name!r} holds {_short(value)}, expected {'text' if kind is str else 'an object'}"
                )
        return cls(identifier, answer, prompt, extras)


def identifier_of(value: Any, where: str, name: str) -> str:
    """An id as text: text stays, a whole number is written out. Raises `InputError` for anything else, and for ''."""
    if isinstance(value, str) and value:
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise InputError(f"{where}: field {name!r} holds half a character, which no file can keep")
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InputError(f"{where}: field {name!r} holds {_short(value)}, expected text or a whole number")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def read_predictions(path: str | Path) -> list[Prediction]:
    """Read a predictions file, in its order. Raises `InputError` naming file, line and field, and for an id answered twice with
    different answers; the same answer given again is left out."""
    found = parse_predictions((f"{path}: line {number}", record) for number, record in read_jsonl(path))
    return list({prediction.id: prediction for prediction in reversed(found)}.values())[::-1]


def parse_predictions(records: Iterable[tuple[str, Any]]) -> list[Prediction]:
    """Predictions of (where it stands, value) pairs, equal ones included; the errors of `read_predictions`."""
    found: list[Prediction] = []
    firsts: dict[str, Prediction] = {}
    places: dict[str, str] = {}
    for where, record in records:
        prediction = Prediction.from_json(record, where)
        first = firsts.setdefault(prediction.id, prediction)
        if first.answer != prediction.answer:
            raise InputError(f"{where}: id {prediction.id!r} was already given another answer at {places[prediction.id]}")
        places.setdefault(prediction.id, where)
        found.append(prediction)
    return found
