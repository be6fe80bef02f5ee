"""Predictions made by other harnesses, so that they can be scored again here: lmms-eval and VLMEvalKit.

lmms-eval     samples_<task>.jsonl of --log_samples: a line a document with `doc_id`, `doc`, `filtered_resps` or `resps`
VLMEvalKit    <model>_<data set>.tsv or .json: a row a question with `index` and `prediction`
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vistune.errors import InputError
from vistune.evals.benchmark import field_of
from vistune.evals.prediction import Prediction, identifier_of
from vistune.evals.reading.annotations import rows, text_of
from vistune.evals.reading.sources import Content, load

# The names under which documents carry their id, most specific first.
_DOCUMENT_IDS = ("question_id", "questionId", "qid", "index", "idx", "id", "image_id", "pid")


def import_predictions(path: str | Path, identifier: str | None = None) -> list[Prediction]:
    """Read a file of either harness, recognised by its content.

    `identifier` names the field that holds the id which our benchmark uses, where the harness keeps several; without it the
    usual names are tried. Raises `InputError` when the file is neither harness's, or a record lacks an id or an answer.
    """
    path = Path(path)
    content = load(path)
    for reader in READERS.values():
        found = reader(content, identifier)
        if found is not None:
            return _unique(found, path)
    known = " or ".join(READERS)
    raise InputError(f"{path}: is no predictions file of {known}; the spreadsheets (.xlsx) of VLMEvalKit must be saved as .tsv")


def _lmms_eval(content: Content, identifier: str | None) -> list[Prediction] | None:
    lines = content.value if content.form == "jsonl" else [content.value]
    if content.form not in ("jsonl", "json") or not isinstance(lines[0], dict) or "doc_id" not in lines[0]:
        return None
    return [_lmms_eval_line(line, identifier, content.record(index)) for index, line in enumerate(lines)]


def _lmms_eval_line(line: Any, identifier: str | None, where: str) -> Prediction:
    document = line.get("doc") if isinstance(line, dict) else None
    document = {} if document is None else document
    if not isinstance(document, dict):
        raise InputError(f"{where}: field 'doc' holds {str(document)[:60]!r}, expected an object")
    # `doc_id` is only a place in the harness's own order, which depends on its version and limits.
    name = identifier or next((name for name in _DOCUMENT_IDS if name in document), None)
    value = field_of(line, "doc_id", where) if name is None else field_of(document, name, where)
    # What the harness itself scores is the filtered reply; the raw one is kept beside it.
    replies = line["filtered_resps"] if line.get("filtered_resps") else field_of(line, "resps", where)
    extras = {"harness": "lmms-eval", "raw": _first_text(line["resps"], where)} if "resps" in line else {"harness": "lmms-eval"}
    asked = document.get("question")
    prompt = asked if isinstance(asked, str) else ""
    return Prediction(identifier_of(value, where, name or "doc_id"), _first_text(replies, where), prompt, extras)


def _first_text(replies: Any, where: str) -> str:
    """The reply inside the lists that the harness wraps it in."""
    while isinstance(replies, list) and replies:
        replies = replies[0]
    if not isinstance(replies, str):
        raise InputError(f"{where}: the reply is {replies!r}, expected text")
    return replies


def _vlm_eval_kit(content: Content, identifier: str | None) -> list[Prediction] | None:
    records = list(_table(content))
    if not records or not {identifier or "index", "prediction"} <= records[0][1].keys():
        return None
    name = identifier or "index"
    return [
        Prediction(
            identifier_of(field_of(record, name, where), where, name),
            text_of(record, "prediction", where),
            extras={"harness": "VLMEvalKit"},
        )
        for where, record in records
    ]


def _table(content: Content) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows of a tab- or comma-separated file, of a JSON list, or of JSON columns (`{"index": {"0": ...}}`)."""
    value = content.value
    if content.form == "text" and value and ("\t" in value[0] or "," in value[0]) and "prediction" in value[0]:
        yield from rows(content.path)
    elif isinstance(value, list) and content.form in ("json", "jsonl") and all(isinstance(record, dict) for record in value):
        yield from ((content.record(index), record) for index, record in enumerate(value))
    elif isinstance(value, dict) and all(isinstance(column, dict) for column in value.values()) and "prediction" in value:
        for key in value["prediction"]:
            yield f"{content.path}: row {key}", {name: column[key] for name, column in value.items() if key in column}


READERS: Mapping[str, Callable[[Content, str | None], list[Prediction] | None]] = MappingProxyType(
    {"lmms-eval": _lmms_eval, "VLMEvalKit": _vlm_eval_kit}
)


def _unique(predictions: Sequence[Prediction], path: Path) -> list[Prediction]:
    seen: dict[str, int] = {}
    for number, prediction in enumerate(predictions, 1):
        if prediction.id in seen:
            raise InputError(
                f"{path}: records {seen[prediction.id]} and {number} both have the id {json.dumps(prediction.id)}:"
                " name another field with --id"
            )
        seen[prediction.id] = number
    return list(predictions)
