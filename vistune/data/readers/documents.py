"""Texts in files of their own, found through a table: radiology reports, tables as CSV files, OCR results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from vistune.data.fields.fieldmap import label_of, media_of, value_of
from vistune.data.fields.media_files import folder_of, media_file
from vistune.data.fields.questions import Questions
from vistune.data.fields.typed import plain_text
from vistune.data.readers.base import Reader
from vistune.data.records.json_records import Records
from vistune.data.records.tables import arrange, open_table
from vistune.errors import InputError
from vistune.sample import MediaRef, Part, Sample, Text, Turn

QUESTION = "Write the report."
MAX_BYTES = 10_000_000


class Documents(Reader):
    """One document per record of a table. Fields are expressions of `vistune.data.fields.fieldmap`.

    path, at, columns, delimiter, quoted, join, join_at, on, each, zipped:  the table, as in the `qa` reader
    documents:  the folder of the documents (default: the table's own)
    document:   the field or template of a document's file name
    images:     the folder of images; `image` the field(s) of their names (default: none)
    part:       "answer" (the document is what is to be written) or "context" (it stands before the question)
    section:    only this section of a report, e.g. FINDINGS: from `FINDINGS:` to the next heading in capitals
    question:   wording(s); with part "context", `ask` and `answer` are fields instead
    """

    def __init__(
        self,
        path: str,
        document: str,
        documents: str | None = None,
        images: str | None = None,
        image: str | list[str] | None = None,
        part: Literal["answer", "context"] = "answer",
        section: str | None = None,
        question: str | list[str] = QUESTION,
        ask: str | None = None,
        answer: str | None = None,
        id: str | None = None,
        meta: Mapping[str, str] | None = None,
        at: str | None = None,
        columns: list[str] | None = None,
        delimiter: str | None = None,
        quoted: bool | None = None,
        join: str | None = None,
        join_at: str | None = None,
        on: str | None = None,
        each: str | None = None,
        zipped: list[str] | None = None,
        records: Records | None = None,
    ) -> None:
        if (part == "context") != (ask is not None):
            raise InputError("documents: part=context needs ask (the question's field), and only then")
        table = open_table(path, at, columns, delimiter, quoted) if records is None else records
        self._records = arrange(table, join=join, join_at=join_at, on=on, each=each, zipped=zipped)
        self._documents, self._document = folder_of(path, documents), document
        self._images, self._image = folder_of(path, images), image
        self._section, self._questions = section, Questions(question)
        self._ask, self._answer, self._id = ask, answer, id
        self._stem, self._meta = Path(path).stem, dict(meta or {})

    def __len__(self) -> int:
        return len(self._records)

    def sample(self, index: int) -> Sample:
        """One document."""
        where, record = self._records.where(index), self._records[index]
        text = self._text(label_of(record, self._document, where), where)
        media = [] if self._image is None else media_of(record, self._image, where, "image", self._images)
        identity = label_of(record, self._id, where) if self._id is not None else f"{self._stem}:{index}"
        shown: list[Part] = [MediaRef(number) for number in range(len(media))]
        if self._ask is None:
            user, answer = Turn("user", (*shown, Text(self._questions.of(identity)))), text
        else:
            user = Turn("user", (*shown, Text(f"{text}\n{label_of(record, self._ask, where)}")))
            answer = "" if self._answer is None else label_of(record, self._answer, where)
        meta = {key: value_of(record, field, where) for key, field in self._meta.items()}
        return Sample(
            id=identity,
            media=tuple(media),
            turns=(user, Turn("assistant", (Text(answer),))) if answer else (user,),
            answers=(answer,) if answer else (),
            meta={key: value for key, value in meta.items() if value is not None},
            origin=where,
        )

    def _text(self, name: str, where: str) -> str:
        path: Any = media_file("image", self._documents, name, where).path
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise InputError(f"{where}: cannot read document {path}: {error.strerror or error}") from error
        if len(data) > MAX_BYTES:
            raise InputError(f"{where}: document {path} is larger than {MAX_BYTES // 1_000_000} MB")
        try:
            text = plain_text(data)
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: document {path}: byte {error.start} is not UTF-8") from error
        return text if self._section is None else _section(text, self._section, f"{where}: document {path}")


def _section(text: str, name: str, where: str) -> str:
    """What stands between `NAME:` and the next line that begins with a heading in capitals."""
    match = re.search(rf"^[ \t]*{re.escape(name)}[ \t]*:(.*?)(?=^[ \t]*[A-Z][A-Z ()/&-]+:|\Z)", text, re.DOTALL | re.MULTILINE)
    if match is None or not match[1].strip():
        raise InputError(f"{where} has no section {name!r}")
    return match[1].strip()
