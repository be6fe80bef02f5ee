"""Instruction, input, output (Alpaca and its kin), with images in files, in base64 (M3IT) or in a store by id (MIMIC-IT)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vistune.data.fields.fieldmap import Stored, label_of, media_of, value_of
from vistune.data.fields.in_context import in_context
from vistune.data.fields.media_files import folder_of
from vistune.data.fields.placeholders import holds_tag, place_media
from vistune.data.fields.taught import with_system
from vistune.data.fields.typed import as_label, as_list, as_text
from vistune.data.readers.base import RecordReader
from vistune.data.records.json_records import KEY, Records
from vistune.data.records.store import ImageStore
from vistune.data.records.tables import open_table
from vistune.errors import InputError
from vistune.sample import Media, MediaKind, MediaRef, Part, Sample, Text, Turn

USUAL: dict[MediaKind, list[str]] = {
    "image": ["image?", "images?"],
    "video": ["video?", "videos?"],
    "audio": ["audio?", "audios?"],
    "points": [],
}


class Instructions(RecordReader):
    """One instruction, perhaps an input, and its output per record. Fields are expressions of `vistune.data.fields.fieldmap`.

    path, at, columns, delimiter, quoted:  the records, see `vistune.data.records.tables.open_table`
    images:       the folder the media are in (default: the file's own)
    history:      field of earlier turns, a list of [asked, answered]: shown, not taught
    system:       field of the system sentence
    instruction, input, output:  fields; an optional one ends in `?`; instruction and input are joined by a line break
    image, video, audio, points:  fields of media (default: `image` and `images`, likewise for films and sounds);
                  `stored="base64"` when images are text in the record
    store:        a JSON object of id -> base64 image; the field `image` then holds ids
    related:      field of the ids of related records, which stand before this one as demonstrations, their answers taught, too
                  (Otter's `rel_ins_ids`); records are found by the key or the field `id`
    inline:       a mark that encloses a file name within the text, e.g. "<img_path>"; the medium stands in its place
    meta:         meta key -> field

    Media stand where the texts have `<image>`, `<video>` or `<audio>`, else before the instruction.
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        instruction: str | None = "instruction",
        input: str | None = "input?",
        output: str = "output",
        history: str | None = "history?",
        system: str | None = "system?",
        image: str | list[str] | None = None,
        video: str | list[str] | None = None,
        audio: str | list[str] | None = None,
        points: str | None = None,
        stored: Stored = "file",
        store: str | None = None,
        related: str | None = None,
        inline: str | None = None,
        id: str | None = None,
        meta: Mapping[str, str] | None = None,
        at: str | None = None,
        columns: list[str] | None = None,
        delimiter: str | None = None,
        quoted: bool | None = None,
        records: Records | None = None,
    ) -> None:
        if instruction is None and input is None:
            raise InputError("instructions: give the field of the instruction, of the input, or both")
        self._records = open_table(path, at, columns, delimiter, quoted) if records is None else records
        self._folder, self._stem, self._id = folder_of(path, images), Path(path).stem, id
        self._asked = [field for field in (instruction, input) if field is not None]
        self._output, self._inline, self._history, self._system = output, inline, history, system
        self._store = None if store is None else ImageStore(store)
        named: dict[MediaKind, str | list[str] | None] = {"image": image, "video": video, "audio": audio, "points": points}
        self._media = {kind: USUAL[kind] if field is None else field for kind, field in named.items()}
        self._stored: Stored = stored
        self._meta = dict(meta or {})
        self._related = related
        self._places: dict[str, int] = {}
        if related is not None:
            for index in range(len(self._records)):
                self._places[self._identity(self._records[index], index, self._records.where(index))] = index

    def made(self, record: Any, index: int, where: str) -> Sample:
        """One instruction with its answer, behind its related ones."""
        sample = self._alone(record, index, where)
        ids = None if self._related is None else value_of(record, self._related, where)
        shots = []
        for name in map(str, as_list(ids or (), where, f"{self._related!r}")):
            if name not in self._places:
                raise InputError(f"{where}: the related record {name!r} is not in the file")
            place = self._places[name]
            if place != index:
                shots.append(self._alone(self._records[place], place, self._records.where(place)))
        return in_context(sample, shots, taught=True) if shots else sample

    def _alone(self, record: Any, index: int, where: str) -> Sample:
        texts = [text for field in self._asked if (text := label_of(record, field, where))]
        if not texts:
            raise InputError(f"{where}: {' and '.join(map(repr, self._asked))} hold no text")
        media = [medium for kind, field in self._media.items() for medium in self._found(record, kind, field, where)]
        answer = label_of(record, self._output, where)
        turns = self._turns(self._earlier(record, where), "\n".join(texts), answer, media, where)
        system = None if self._system is None else value_of(record, self._system, where)
        meta = {key: value_of(record, field, where) for key, field in self._meta.items()}
        return Sample(
            id=self._identity(record, index, where),
            media=tuple(media),
            turns=with_system(turns, system, where),
            answers=(answer,),
            meta={key: value for key, value in meta.items() if value is not None},
            origin=where,
        )

    def _turns(self, earlier: list[Turn], asked: str, answer: str, media: list[Media], where: str) -> tuple[Turn, ...]:
        """Placeholders in any of the texts stand for the media; without one, the media stand before the instruction."""
        said = [*((turn.role, turn.text) for turn in earlier), ("user", asked), ("assistant", answer)]
        if self._inline is None and any(holds_tag(text) for _, text in said):
            filled = place_media(said, media, where)
            return (*(replace(turn, train=False) if turn.role == "assistant" else turn for turn in filled[:-2]), *filled[-2:])
        shown: list[Part] = [MediaRef(number) for number in range(len(media))]
        shown += self._text(asked, media, where)
        return (*earlier, Turn("user", tuple(shown)), Turn("assistant", (Text(answer),)))

    def _earlier(self, record: Any, where: str) -> list[Turn]:
        """The turns before the instruction. They are not taught: in such data every turn is a record of its own."""
        turns: list[Turn] = []
        for pair in as_list(value_of(record, self._history, where) or (), where, f"{self._history!r}") if self._history else ():
            if len(as_list(pair, where, f"an element of {self._history!r}")) != 2:
                raise InputError(f"{where}: an element of {self._history!r} is no pair of a question and an answer")
            asked, answered = (Text(as_text(text, where, f"a text of {self._history!r}")) for text in pair)
            turns += [Turn("user", (asked,)), Turn("assistant", (answered,), train=False)]
        return turns

    def _identity(self, record: Any, index: int, where: str) -> str:
        if self._id is not None:
            return label_of(record, self._id, where)
        return as_label(record[KEY], where, "the key") if KEY in record else f"{self._stem}:{index}"

    def _found(self, record: Any, kind: MediaKind, field: str | list[str], where: str) -> list[Media]:
        if self._store is None or kind != "image":
            return media_of(record, field, where, kind, self._folder, self._stored)
        ids = value_of(record, field if isinstance(field, str) else field[0], where)
        listed = [] if ids is None else as_list(ids if isinstance(ids, list) else [ids], where, f"{field!r}")
        return [self._store.image(as_label(one, where, "an image id"), where) for one in listed]

    def _text(self, text: str, media: list[Media], where: str) -> list[Part]:
        """The text, with each enclosed file name as the medium it names."""
        if self._inline is None:
            return [Text(text)]
        pieces = text.split(self._inline)
        if len(pieces) % 2 == 0:
            raise InputError(f"{where}: a {self._inline} is not closed by another")
        parts: list[Part] = []
        for number, piece in enumerate(pieces):
            if number % 2:
                media += media_of({"name": piece}, "name", where, "image", self._folder)
                parts.append(MediaRef(len(media) - 1))
            elif piece:
                parts.append(Text(piece))
        return parts
