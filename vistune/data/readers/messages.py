"""Chat messages as TRL and the OpenAI API write them, in JSON, JSON Lines or parquet."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from vistune.data.fields.columns import kept, media_columns
from vistune.data.fields.fieldmap import medium_of
from vistune.data.fields.media_files import folder_of, media_file
from vistune.data.fields.met import Met
from vistune.data.fields.placeholders import TAGS, place_media, show_first
from vistune.data.fields.taught import is_taught, with_system
from vistune.data.fields.typed import Record, as_label, as_list, as_object, as_text, need
from vistune.data.readers.base import RecordReader
from vistune.data.records.json_records import KEY, Records
from vistune.data.records.tables import open_table
from vistune.errors import InputError, nearest
from vistune.sample import Media, MediaKind, MediaRef, Part, Produce, Role, Sample, Text, Turn

COLUMNS: dict[str, MediaKind] = {
    "image": "image",
    "images": "image",
    "video": "video",
    "videos": "video",
    "audio": "audio",
    "audios": "audio",
}
ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


class Messages(RecordReader):
    """`messages: [{role, content}]`, or `prompt` + `completion`, with the media in columns beside them or inside the content.

    path, at:      the records, see `vistune.data.records.tables.open_table`
    images:        the folder media are in (default: the file's own)
    key:           the key of the messages (default: `messages`, or `prompt` + `completion` when there is none)
    placeholders:  for plain text contents, as in the conversations reader

    A content is text (with `<image>` placeholders), or a list of `{"type": "text", "text": ...}`, `{"type": "image"}` (the next
    of the column `images`) and `{"type": "image_url", "image_url": {"url": "data:image/png;base64,..."}}`. A media column holds
    file names or `{"bytes": ..., "path": ...}`. `system` is the system turn. A message with `weight: 0`, `loss: false` or
    `train: false` is shown and not taught. Any other key goes to `meta`.
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        at: str | None = None,
        key: str | None = None,
        placeholders: Literal["required", "prepend"] = "required",
        records: Records | None = None,
    ) -> None:
        self._records = open_table(path, at) if records is None else records
        self._folder = folder_of(path, images)
        self._stem, self._key = Path(path).stem, key
        self._prepend = placeholders == "prepend"

    def made(self, record: Any, index: int, where: str) -> Sample:
        """One conversation."""
        record = as_object(record, where)
        keys, messages = self._messages(record, where)
        turns, media = self._turns(messages, media_columns(record, COLUMNS, where, self._folder), where)
        for message in messages:
            if isinstance(record, Met):
                record.note(keys[0], message)
        known = {"id", KEY, "system", *keys, *COLUMNS}
        return Sample(
            id=as_label(record.get("id", record.get(KEY, f"{self._stem}:{index}")), where, "'id'"),
            media=tuple(media),
            turns=with_system(turns, record.get("system"), where),
            meta={name: value for name, value in kept(record, known).items() if value is not None},
            origin=where,
        )

    def _messages(self, record: Record, where: str) -> tuple[tuple[str, ...], list[Met]]:
        if self._key is not None or "prompt" not in record or "messages" in record:
            key = self._key or "messages"
            return (key,), [
                Met(as_object(message, where, "a message")) for message in as_list(need(record, key, where), where, f"{key!r}")
            ]
        prompt, completion = record["prompt"], need(record, "completion", where)
        if isinstance(prompt, str):
            prompt = [{"role": "user", "content": prompt}]
        if isinstance(completion, str):
            completion = [{"role": "assistant", "content": completion}]
        both = [*as_list(prompt, where, "'prompt'"), *as_list(completion, where, "'completion'")]
        return ("prompt", "completion"), [Met(as_object(message, where, "a message")) for message in both]

    def _turns(self, messages: Sequence[Record], media: list[Media], where: str) -> tuple[tuple[Turn, ...], list[Media]]:
        said = [(self._role(message, where), need(message, "content", where)) for message in messages]
        if not said:
            raise InputError(f"{where}: there are no messages")
        taught = [role != "assistant" or is_taught(message, where) for (role, _), message in zip(said, messages, strict=True)]
        if any(message.get("tool_calls") for message in messages):
            raise InputError(f"{where}: a message holds 'tool_calls', which are no words that can be taught: write them out")
        if all(isinstance(content, str) for _, content in said):
            filled = place_media(said, media, where, TAGS, prepend=self._prepend)
            return tuple(replace(turn, train=train) for turn, train in zip(filled, taught, strict=True)), media
        reader = _Contents(media, self._folder, where)
        turns = tuple(
            Turn(role, tuple(reader.parts(role, content)), train) for (role, content), train in zip(said, taught, strict=True)
        )
        if reader.waiting and not self._prepend:
            raise InputError(f"{where}: {len(reader.waiting)} media of the columns are not shown in any message")
        return show_first(turns, reader.waiting, reader.media, where) if reader.waiting else turns, reader.media

    def _role(self, message: Record, where: str) -> Role:
        role = as_text(need(message, "role", where), where, "'role'")
        if role not in ROLES:
            raise InputError(f"{where}: role {role!r} is unknown{nearest(role, list(ROLES))}")
        return ROLES[role]


_PLACES = re.compile("(" + "|".join(map(re.escape, TAGS)) + ")")


class _Contents:
    """Content lists of one record: `{"type": "image"}` takes the next medium of the columns, others bring their own."""

    def __init__(self, media: list[Media], folder: Path, where: str) -> None:
        self.media = list(media)
        self.waiting = list(range(len(media)))
        self._folder, self._where = folder, where

    def parts(self, role: Role, content: Any) -> Iterable[Part]:
        """The parts of one message."""
        listed = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for item in [listed] if isinstance(listed, Mapping) else as_list(listed, self._where, "'content'"):
            item = as_object(item, self._where, "an element of 'content'")
            kind = as_text(need(item, "type", self._where), self._where, "'type'")
            if kind in ("text", "input_text", "output_text"):
                yield from self._words(role, as_text(need(item, "text", self._where), self._where, "'text'"))
            else:
                yield self._part(role, kind, item)

    def _words(self, role: Role, text: str) -> Iterable[Part]:
        """Text, with placeholders for the media of the columns as in contents that are text alone."""
        for piece in filter(None, _PLACES.split(text)):
            if piece not in TAGS:
                yield Text(piece)
                continue
            index = self._place(TAGS[piece], {})
            yield Produce(index) if role == "assistant" else MediaRef(index)

    def _part(self, role: Role, kind: str, item: Record) -> Part:
        if kind in ("image_url", "input_image"):
            index = self._add(self._inline(need(item, "image_url", self._where)))
        elif kind in ("image", "video", "audio"):
            index = self._place(kind, item)  # type: ignore[arg-type]
        else:
            raise InputError(
                f"{self._where}: a content of type {kind!r} is unknown{nearest(kind, ['text', 'image', 'image_url'])}"
            )
        return Produce(index) if role == "assistant" else MediaRef(index)

    def _add(self, medium: Media) -> int:
        self.media.append(medium)
        return len(self.media) - 1

    def _place(self, kind: MediaKind, item: Record) -> int:
        own = item.get(kind) or item.get("path")
        if own is not None and not (isinstance(own, Mapping) and own.get("bytes") is None and own.get("path") is None):
            return self._add(medium_of(own, self._where, kind, self._folder))
        for number in self.waiting:
            if self.media[number].kind == kind:
                self.waiting.remove(number)
                return number
        raise InputError(f"{self._where}: the messages show more {kind} media than the columns hold")

    def _inline(self, value: Any) -> Media:
        url = as_text(value["url"] if isinstance(value, Mapping) and "url" in value else value, self._where, "'image_url'")
        head, comma, body = url.partition(",")
        if not (comma and head.startswith("data:image/") and head.endswith(";base64")):
            return media_file("image", self._folder, url, self._where)
        try:
            return Media("image", data=base64.b64decode(body, validate=True))
        except (binascii.Error, ValueError) as error:
            raise InputError(f"{self._where}: an image_url is not base64: {error}") from error
