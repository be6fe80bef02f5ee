"""LLaVA's and ShareGPT's conversations, the field's most common format."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from vistune.data.fields.columns import kept, media_columns
from vistune.data.fields.fieldmap import media_of
from vistune.data.fields.media_files import folder_of
from vistune.data.fields.met import Met
from vistune.data.fields.placeholders import TAGS, place_media
from vistune.data.fields.taught import is_taught, with_system
from vistune.data.fields.typed import Record, as_label, as_list, as_object, as_text, need
from vistune.data.readers.base import RecordReader
from vistune.data.records.json_records import KEY, Records
from vistune.data.records.tables import open_table
from vistune.errors import InputError, nearest
from vistune.sample import Media, MediaKind, Role, Sample, Turn

MEDIA_KEYS: dict[str, MediaKind] = {
    "image": "image",
    "images": "image",
    "video": "video",
    "videos": "video",
    "audio": "audio",
    "audios": "audio",
    "point": "points",
    "points": "points",
}
ROLES: dict[str, Role] = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "system": "system",
}


class Conversations(RecordReader):
    """`{id, image, conversations: [{from, value}]}` in a JSON array, a JSON object by id, JSON Lines or parquet.

    path:           the file
    images:         the folder its media are in (default: the file's own)
    at:             key of the list inside the file, dots go deeper (default: the file is the list)
    turns, speaker, said:  names of the three keys, for ShareGPT's variants (`items`, `role`, `content`, ...)
    media_keys:     further keys that hold media files, e.g. {"pcl": "points"}
    tags:           placeholders in the text, default `<image>`, `<video>`, `<audio>`, `<point>`; one in an answer is a medium
                    to produce
    files:          media named by a template, e.g. {"points": "{object_id}_8192.npy"} (see `vistune.data.fields.fieldmap`)
    turn_media:     field of the image files inside each turn, e.g. TextBind's "image_list"; "image_list?" where turns lack it
    roles:          further speakers, e.g. {"Doctor": "assistant"}
    divided:        the turns are one text, and these marks begin each speaker's, e.g. {"[|Human|]": "user", "[|AI|]":
                    "assistant"} (Baize); what stands before the first mark is left out, and so is a last turn without words
    placeholders:   "required": each medium has one; "prepend": media without one stand before the first user text

    Media keys hold a file name, `{bytes, path}` as parquet has it, a list of these, or nothing (null, or an empty name).
    `system` is the system turn. A turn with `weight: 0`, `loss: false` or `train: false` is shown and not taught. `answers` and
    `choices` (lists of text) are kept as such, every other key goes to `meta`.
    Format: Liu et al., Visual Instruction Tuning, 2023, released data.
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        at: str | None = None,
        turns: str = "conversations",
        speaker: str = "from",
        said: str = "value",
        media_keys: Mapping[str, MediaKind] | None = None,
        tags: Mapping[str, MediaKind] | None = None,
        files: Mapping[MediaKind, str] | None = None,
        turn_media: str | None = None,
        roles: Mapping[str, Role] | None = None,
        divided: Mapping[str, Role] | None = None,
        placeholders: Literal["required", "prepend"] = "required",
        records: Records | None = None,
    ) -> None:
        self._records = open_table(path, at) if records is None else records
        self._folder = folder_of(path, images)
        self._stem = Path(path).stem
        self._turns, self._speaker, self._said = turns, speaker, said
        self._media_keys = {**MEDIA_KEYS, **(media_keys or {})}
        self._files = dict(files or {})
        self._turn_media = turn_media
        self._tags = TAGS if tags is None else dict(tags)
        self._roles = {**ROLES, **(roles or {})}
        self._divided = dict(divided or {})
        self._prepend = placeholders == "prepend"

    def made(self, record: Any, index: int, where: str) -> Sample:
        """One conversation."""
        record = as_object(record, where)
        turns = self._said_by(need(record, self._turns, where), where)
        if not turns:
            raise InputError(f"{where}: {self._turns!r} is empty")
        met = [Met(turn) for turn in turns]
        templated = (media_of(record, field, where, kind, self._folder) for kind, field in self._files.items())
        columns = media_columns(record, self._media_keys, where, self._folder)
        media = (*columns, *chain.from_iterable(templated), *self._listed(met, where))
        filled = place_media([self._turn(turn, where) for turn in met], media, where, self._tags, prepend=self._prepend)
        said = [_marked(turn, is_taught(told, where)) for turn, told in zip(filled, met, strict=True)]
        for told in met:
            if isinstance(record, Met):
                # Keys of a turn that nobody read are told as the record's: no one asks the turns again.
                record.note(self._turns, told)
        known = {"id", KEY, "answers", "choices", "system", self._turns, *self._media_keys}
        return Sample(
            id=as_label(record.get("id", record.get(KEY, f"{self._stem}:{index}")), where, "'id'"),
            media=media,
            turns=with_system(said, record.get("system"), where),
            answers=_texts(record, "answers", where),
            choices=_texts(record, "choices", where),
            meta=kept(record, known),
            origin=where,
        )

    def _said_by(self, value: Any, where: str) -> list[Record]:
        """The turns as objects, from a list of them or from one text with marks."""
        if not self._divided:
            return [
                as_object(turn, where, f"an element of {self._turns!r}") for turn in as_list(value, where, f"{self._turns!r}")
            ]
        marks = "|".join(map(re.escape, self._divided))
        _, *pieces = re.split(f"({marks})", as_text(value, where, f"{self._turns!r}"))
        turns: list[Record] = [
            {self._speaker: self._divided[mark], self._said: said.strip()}
            for mark, said in zip(pieces[::2], pieces[1::2], strict=True)
        ]
        # Baize's texts end with the user's mark, behind which nobody has spoken yet.
        return turns[:-1] if turns and not turns[-1][self._said] else turns

    def _listed(self, turns: Sequence[Record], where: str) -> list[Media]:
        if self._turn_media is None:
            return []
        return [medium for turn in turns for medium in media_of(turn, self._turn_media, where, "image", self._folder)]

    def _turn(self, turn: Record, where: str) -> tuple[Role, str]:
        speaker = as_text(need(turn, self._speaker, where), where, f"{self._speaker!r}")
        if speaker not in self._roles:
            raise InputError(f"{where}: {speaker!r} is no known speaker{nearest(speaker, list(self._roles))}")
        return self._roles[speaker], as_text(need(turn, self._said, where), where, f"{self._said!r}")


def _marked(turn: Turn, taught: bool) -> Turn:
    return turn if taught or turn.role != "assistant" else replace(turn, train=False)


def _texts(record: Record, key: str, where: str) -> tuple[str, ...]:
    return tuple(as_text(item, where, f"an element of {key!r}") for item in as_list(record.get(key) or (), where, f"{key!r}"))
