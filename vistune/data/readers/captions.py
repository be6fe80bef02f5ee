"""Media and the texts that describe them: CSV, TSV, JSON Lines, parquet, or lines of two files side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vistune.data.fields.fieldmap import Stored, label_of, labels_of, media_of, value_of
from vistune.data.fields.media_files import folder_of
from vistune.data.fields.questions import Questions
from vistune.data.readers.base import RecordReader
from vistune.data.records.delimited import Beside
from vistune.data.records.json_records import Records
from vistune.data.records.tables import arrange, open_table
from vistune.errors import InputError
from vistune.sample import MediaKind, MediaRef, Sample, Text, Turn

QUESTION = "Describe this briefly."


class Captions(RecordReader):
    """One medium and its caption(s) per record. Fields are expressions of `vistune.data.fields.fieldmap`.

    path, at, columns, delimiter, quoted:  the records, see `vistune.data.records.tables.open_table`
    beside:     a second file of lines; line n belongs to line n of `path` (column `beside`); the first is the column `line`
    join, join_at, on:  a second file whose record with the same key is merged in
    each:       key of a list of captions inside each record: one sample for each
    images:     the folder media are in (default: the file's own)
    medium:     the field that names the file, or the fields of several files
    caption:    the field of the text, or of a list of texts: the first is taught, all are accepted answers
    kind_of_media:  image, video, audio or points
    question:   what is asked, or several wordings
    numbered:   file names end in `#3` (Flickr30k's token files), which is cut off

    A file name that is a URL is refused: download the files and give a field or template that names them.
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        medium: str | list[str] = "image",
        caption: str = "caption",
        id: str | None = None,
        kind_of_media: MediaKind = "image",
        question: str | list[str] = QUESTION,
        numbered: bool = False,
        stored: Stored = "file",
        meta: Mapping[str, str] | None = None,
        at: str | None = None,
        columns: list[str] | None = None,
        delimiter: str | None = None,
        quoted: bool | None = None,
        beside: str | None = None,
        join: str | None = None,
        join_at: str | None = None,
        on: str | None = None,
        each: str | None = None,
        records: Records | None = None,
    ) -> None:
        if records is not None:
            table = records
        elif beside is not None:
            table = Beside(Path(path), Path(beside))
        else:
            table = open_table(path, at, columns, delimiter, quoted)
        self._records = arrange(table, join=join, join_at=join_at, on=on, each=each)
        self._folder, self._stem = folder_of(path, images), Path(path).stem
        self._medium, self._caption, self._id = medium, caption, id
        self._kind: MediaKind = kind_of_media
        self._questions, self._numbered = Questions(question), numbered
        self._stored: Stored = stored
        self._meta = dict(meta or {})

    def made(self, record: Any, index: int, where: str) -> Sample:
        """One medium with its caption."""
        identity = label_of(record, self._id, where) if self._id is not None else f"{self._stem}:{index}"
        if self._numbered:
            named = re.sub(r"#\d+$", "", label_of(record, str(self._medium), where))
            media = media_of({"name": named}, "name", where, self._kind, self._folder, self._stored)
        else:
            media = media_of(record, self._medium, where, self._kind, self._folder, self._stored)
        if not media:
            raise InputError(f"{where}: there is no {self._kind} to describe")
        value = value_of(record, self._caption, where)
        texts = labels_of(record, self._caption, where) if isinstance(value, list) else [label_of(record, self._caption, where)]
        if not texts:
            raise InputError(f"{where}: {self._caption!r} holds no caption")
        shown = tuple(MediaRef(number) for number in range(len(media)))
        meta = {key: value_of(record, field, where) for key, field in self._meta.items()}
        return Sample(
            id=identity,
            media=tuple(media),
            turns=(Turn("user", (*shown, Text(self._questions.of(identity)))), Turn("assistant", (Text(texts[0].strip()),))),
            answers=tuple(text.strip() for text in texts),
            meta={key: value for key, value in meta.items() if value is not None},
            origin=where,
        )
