"""Question answering in any layout: a declarative field map over JSON, CSV, TSV, pipe text or parquet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from vistune.data.fields.fieldmap import Stored, label_of, labels_of, media_of, value_of
from vistune.data.fields.lettered import LETTERS, lettered
from vistune.data.fields.media_files import folder_of
from vistune.data.fields.placeholders import holds_tag, place_media
from vistune.data.readers.base import RecordReader
from vistune.data.records.json_records import Records
from vistune.data.records.tables import arrange, open_table
from vistune.errors import InputError, nearest
from vistune.sample import Media, MediaKind, MediaRef, Part, Sample, Text, Turn


class Qa(RecordReader):
    """One question per record. The field arguments are expressions of `vistune.data.fields.fieldmap`; None: not in this data.

    path, at, columns, delimiter, quoted, keep:  the records, see `vistune.data.records.tables.open_table`
    join, join_at, on:  a second file whose record with the same key is merged in (VQA: questions + annotations)
    join_columns:  the columns of a second file that is delimited text, as `path` is
    each:       key of a list of questions inside each record (Visual Genome: `qas`)
    zipped:     keys of lists of equal length inside each record, whose elements make one question each
    images:     the folder media are in (default: the file's own)
    question, answer, answers, choices, id:  fields; `answers` are all accepted answers (default: the answer alone)
    context:    text before the question, e.g. a hint or a passage
    image, video, audio, points:  fields of media; `stored="base64"` when images are text in the table. Media stand where the
                question has `<image>`, `<video>` or `<audio>`, else before it
    separator:  splits one answer text into several accepted ones, or joins a list of answers into the text to be taught
    answer_is:  "text"; "index" into the choices from 0; "letter" A, B, ... of the choice
    names:      what the data writes as answer -> the answer in words, e.g. {"0": "no retinopathy"}
    list_choices:  append the lettered choices to the question; the answer is then the letter
    meta:       meta key -> field, e.g. {"type": "answer_type"}
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        question: str = "question",
        answer: str | None = "answer",
        image: str | list[str] | None = "image",
        id: str | None = None,
        answers: str | list[str] | None = None,
        choices: str | list[str] | None = None,
        context: str | None = None,
        video: str | None = None,
        audio: str | None = None,
        points: str | None = None,
        stored: Stored = "file",
        separator: str | None = None,
        answer_is: Literal["text", "index", "letter"] = "text",
        names: Mapping[str, str] | None = None,
        list_choices: bool = False,
        meta: Mapping[str, str] | None = None,
        at: str | None = None,
        columns: list[str] | None = None,
        delimiter: str | None = None,
        quoted: bool | None = None,
        join: str | None = None,
        join_at: str | None = None,
        join_columns: list[str] | None = None,
        on: str | None = None,
        each: str | None = None,
        zipped: list[str] | None = None,
        keep: Mapping[str, Any] | None = None,
        records: Records | None = None,
    ) -> None:
        table = open_table(path, at, columns, delimiter, quoted, keep) if records is None else records
        second = join if join is None or join_columns is None else open_table(join, join_at, join_columns, delimiter, quoted)
        self._records = arrange(table, join=second, join_at=join_at, on=on, each=each, zipped=zipped)
        if choices is None and (answer_is != "text" or list_choices):
            raise InputError("qa: answer_is and list_choices need choices")
        self._folder = folder_of(path, images)
        self._stem = Path(path).stem
        self._question, self._context, self._id = question, context, id
        self._answer, self._answers, self._choices = answer, answers, choices
        self._separator, self._answer_is, self._list_choices = separator, answer_is, list_choices
        self._names = names
        fields: dict[MediaKind, str | list[str] | None] = {"image": image, "video": video, "audio": audio, "points": points}
        self._media: dict[MediaKind, str | list[str]] = {kind: field for kind, field in fields.items() if field is not None}
        self._stored: Stored = stored
        self._meta = dict(meta or {})

    def made(self, record: Any, index: int, where: str) -> Sample:
        """One question with its media and, where the data has it, its answer."""
        media: list[Media] = []
        for kind, field in self._media.items():
            media += media_of(record, field, where, kind, self._folder, self._stored)
        choices = self._offered(record, where)
        answers = self._accepted(record, choices, where)
        meta = {key: value_of(record, field, where) for key, field in self._meta.items()}
        return Sample(
            id=label_of(record, self._id, where) if self._id is not None else f"{self._stem}:{index}",
            media=tuple(media),
            turns=self._turns(record, media, choices, answers, where),
            answers=tuple(dict.fromkeys(answers)) if self._answers is None else tuple(answers),
            choices=tuple(choices),
            meta={key: value for key, value in meta.items() if value is not None},
            origin=where,
        )

    def _offered(self, record: Any, where: str) -> list[str]:
        """The choices. Tables leave the last choices empty; an empty choice before others would change the letters of these."""
        if self._choices is None or isinstance(self._choices, str):
            return [] if self._choices is None else labels_of(record, self._choices, where)
        texts = [label_of(record, one, where) for one in self._choices]
        while texts and not texts[-1]:
            texts.pop()
        if "" in texts:
            raise InputError(f"{where}: the choice {self._choices[texts.index('')]!r} is empty, but one behind it is not")
        return texts

    def _accepted(self, record: Any, choices: list[str], where: str) -> list[str]:
        """All accepted answers; the first is the one to be taught unless `answer` says otherwise."""
        if self._answers is not None:
            return labels_of(record, self._answers, where)
        target = self._target(record, choices, where)
        if target is None:
            return []
        return [target] if self._separator is None else [part.strip() for part in target.split(self._separator)]

    def _target(self, record: Any, choices: list[str], where: str) -> str | None:
        if self._answer is None:
            return None
        value = value_of(record, self._answer, where)
        if value is None and self._answer.endswith("?"):
            return None
        if isinstance(value, list | tuple):
            if self._separator is None:
                hint = f"use answers={self._answer} for several accepted answers, or a separator to teach all of them"
                raise InputError(f"{where}: {self._answer!r} is a list: {hint}")
            text = self._separator.join(labels_of(record, self._answer, where))
        else:
            text = label_of(record, self._answer, where)
        if self._names is not None:
            if text not in self._names:
                raise InputError(f"{where}: the answer {text!r} has no name{nearest(text, list(self._names))}")
            text = self._names[text]
        if self._answer_is == "text":
            return text
        number = LETTERS.find(text.strip()) if self._answer_is == "letter" and len(text.strip()) == 1 else -1
        if self._answer_is == "index" and text.isascii() and text.isdigit():
            number = int(text)
        if not 0 <= number < len(choices):
            raise InputError(f"{where}: answer {text!r} is no {self._answer_is} of one of the {len(choices)} choices")
        return choices[number]

    def _turns(self, record: Any, media: list[Media], choices: list[str], answers: list[str], where: str) -> tuple[Turn, ...]:
        question = label_of(record, self._question, where)
        if self._context is not None and (context := label_of(record, self._context, where)):
            question = f"{context}\n{question}"
        target: str | None = answers[0] if answers else None
        if self._answers is not None and self._answer is not None:
            target = self._target(record, choices, where)
        if self._list_choices:
            question += f"\n{lettered(choices)}" if choices else ""
            if target is not None:
                target = LETTERS[self._position(target, choices, where)]
        if holds_tag(question):
            (user,) = place_media([("user", question)], media, where)
        else:
            shown: list[Part] = [MediaRef(number) for number in range(len(media))]
            user = Turn("user", (*shown, Text(question)))
        return (user,) if target is None else (user, Turn("assistant", (Text(target),)))

    def _position(self, target: str, choices: list[str], where: str) -> int:
        if target not in choices:
            raise InputError(f"{where}: the answer {target!r} is none of the choices {choices}")
        if len(choices) > len(LETTERS):
            raise InputError(f"{where}: {len(choices)} choices are more than there are letters")
        return choices.index(target)
