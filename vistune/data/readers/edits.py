"""Image editing data: a picture, an instruction and the picture that results; or pictures made from words alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vistune.data.fields.fieldmap import Stored, label_of, media_of, value_of
from vistune.data.fields.media_files import folder_of
from vistune.data.readers.base import RecordReader
from vistune.data.records.json_records import Records
from vistune.data.records.tables import arrange, open_table
from vistune.errors import InputError
from vistune.sample import Media, MediaRef, Part, Produce, Sample, Text, Turn


class Edits(RecordReader):
    """One change per record. Fields are expressions of `vistune.data.fields.fieldmap`.

    path, at, columns, delimiter, quoted:  the records, see `vistune.data.records.tables.open_table`
    each:         key of a list of changes inside each record (MagicBrush's sessions): one sample for each
    images:       the folder the pictures are in (default: the file's own)
    instruction:  the field of the instruction
    before:       the field of the picture to be changed, or of several; None where pictures are made from words alone
    after:        the field of the picture that results
    stored:       "base64" when pictures are text in the record; bytes of a parquet file need nothing
    meta:         meta key -> field (default: what each picture shows, where the data says it)

    The answer is the picture to be produced. Format: Brooks et al., InstructPix2Pix, CVPR 2023, released data; by its field
    names also MagicBrush's (Zhang et al., NeurIPS 2023): `before=input&instruction=instruction&after=output`.
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        instruction: str = "edit_prompt",
        before: str | list[str] | None = "original_image",
        after: str = "edited_image",
        id: str | None = None,
        stored: Stored = "file",
        meta: Mapping[str, str] | None = None,
        at: str | None = None,
        columns: list[str] | None = None,
        delimiter: str | None = None,
        quoted: bool | None = None,
        each: str | None = None,
        records: Records | None = None,
    ) -> None:
        table = open_table(path, at, columns, delimiter, quoted) if records is None else records
        self._records = arrange(table, each=each)
        self._folder, self._stem, self._id = folder_of(path, images), Path(path).stem, id
        self._instruction, self._before, self._after, self._stored = instruction, before, after, stored
        told = {"before": "original_prompt?", "after": "edited_prompt?"} if before is not None else {}
        self._meta = dict(told if meta is None else meta)

    def made(self, record: Any, index: int, where: str) -> Sample:
        """One instruction with the picture that answers it, the last of the sample's media."""
        instruction = label_of(record, self._instruction, where).strip()
        if not instruction:
            raise InputError(f"{where}: {self._instruction!r} holds no instruction")
        shown = [] if self._before is None else self._pictures(record, self._before, where)
        made = self._pictures(record, self._after, where)
        if self._before is not None and not shown:
            raise InputError(f"{where}: there is no picture to be changed")
        if len(made) != 1:
            raise InputError(f"{where}: a change has one picture as its result, not {len(made)}")
        question: list[Part] = [MediaRef(number) for number in range(len(shown))]
        meta = {key: value_of(record, field, where) for key, field in self._meta.items()}
        return Sample(
            id=label_of(record, self._id, where) if self._id is not None else f"{self._stem}:{index}",
            media=(*shown, *made),
            turns=(Turn("user", (*question, Text(instruction))), Turn("assistant", (Produce(len(shown)),))),
            meta={key: value for key, value in meta.items() if value is not None},
            origin=where,
        )

    def _pictures(self, record: Any, field: str | list[str], where: str) -> list[Media]:
        return media_of(record, field, where, "image", self._folder, self._stored)
