"""Pairs of answers, one chosen and one rejected, in the field's formats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vistune.data.fields.columns import kept, media_columns
from vistune.data.fields.media_files import folder_of
from vistune.data.fields.placeholders import place_media
from vistune.data.fields.typed import Record, as_label, as_list, as_number, as_object, as_text, need
from vistune.data.readers.base import RecordReader
from vistune.data.readers.conversations import MEDIA_KEYS, ROLES
from vistune.data.records.json_records import KEY, Records
from vistune.data.records.tables import open_table
from vistune.errors import InputError, nearest
from vistune.sample import MediaKind, Role, Sample

REJECTED = "rejected"
_QUESTIONS = ("question", "prompt")
_TURNS = ("conversations", "messages")
_ANSWERS = ("chosen", REJECTED, "rejected_conversations", "completions", "text")


class Preferences(RecordReader):
    """One question and two answers a record: the chosen one ends the sample, the rejected one is its `meta["rejected"]`.

    path:       a JSON array, JSON Lines or parquet
    images:     the folder its media are in (default: the file's own)
    at:         key of the list inside the file
    question, chosen, rejected:  names of the three keys, where they are not found by themselves
    image_key:  a further key that holds pictures

    A record's keys say which format it has:

        question, chosen, rejected                RLAIF-V; RLHF-V, where the three stand in the JSON text of `text`
        conversations, rejected_conversations     POVID: two conversations that differ in their last answer
        conversations, chosen, rejected           LLaVA's turns and two answers (LLaMA-Factory's ranking, TRL's messages)
        prompt, completions                       VLFeedback: answers with ratings, the best against the worst

    Answers may be text, `{from, value}`, `{role, content}`, or a list with one of these. Pictures stand where the question has
    `<image>`, else before it. Other keys go to `meta`. Formats: RLHF-V (arXiv 2312.00849), RLAIF-V (arXiv 2405.17220),
    VLFeedback (arXiv 2312.10665), POVID (arXiv 2402.11411), released data.
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        at: str | None = None,
        question: str | None = None,
        chosen: str = "chosen",
        rejected: str = REJECTED,
        image_key: str | None = None,
        records: Records | None = None,
    ) -> None:
        self._records = open_table(path, at) if records is None else records
        self._folder = folder_of(path, images)
        self._stem = Path(path).stem
        self._question, self._chosen, self._rejected = question, chosen, rejected
        self._media_keys: dict[str, MediaKind] = dict(MEDIA_KEYS) if image_key is None else {**MEDIA_KEYS, image_key: "image"}

    def made(self, record: Any, index: int, where: str) -> Sample:
        """One pair."""
        record = as_object(record, where)
        history, chosen, rejected = self._pair(record, where)
        if not chosen.strip() or not rejected.strip():
            raise InputError(f"{where}: the {'rejected' if chosen.strip() else 'chosen'} answer is empty")
        media = media_columns(record, self._media_keys, where, self._folder)
        turns = place_media([*history, ("assistant", chosen)], media, where, prepend=True)
        known = {"id", "idx", KEY, *self._media_keys, *_QUESTIONS, *_TURNS, *_ANSWERS, self._chosen, self._rejected}
        name = next((record[key] for key in ("id", "idx", KEY) if record.get(key) is not None), f"{self._stem}:{index}")
        return Sample(
            id=as_label(name, where, "'id'"),
            media=tuple(media),
            turns=turns,
            meta={**kept(record, known | {str(self._question)}), REJECTED: rejected},
            origin=where,
        )

    def _pair(self, record: Record, where: str) -> tuple[list[tuple[Role, str]], str, str]:
        """What was said before, the chosen and the rejected answer."""
        if "rejected_conversations" in record:
            turns = _turns(need(record, "conversations", where), where, "conversations")
            other = _turns(record["rejected_conversations"], where, "rejected_conversations")
            return turns[:-1], _last(turns, where, "conversations"), _last(other, where, "rejected_conversations")
        if "completions" in record:
            chosen, rejected = _rated(record["completions"], where)
            return [("user", self._asked(record, where))], chosen, rejected
        if self._rejected not in record and isinstance(record.get("text"), str):
            inner = _json(record["text"], where)
            return [("user", as_text(need(inner, "question", where), where, "'question'"))], *self._answers(inner, where)
        name = next((key for key in _TURNS if key in record), None)
        if name is not None:
            return _turns(record[name], where, name), *self._answers(record, where)
        return [("user", self._asked(record, where))], *self._answers(record, where)

    def _answers(self, record: Record, where: str) -> tuple[str, str]:
        chosen, rejected = (_said(need(record, key, where), where, key) for key in (self._chosen, self._rejected))
        return chosen, rejected

    def _asked(self, record: Record, where: str) -> str:
        keys = _QUESTIONS if self._question is None else (self._question,)
        key = next((key for key in keys if key in record), None)
        if key is None:
            raise InputError(f"{where}: has no question: name its key with question=, it has {', '.join(sorted(record))}")
        return _said(record[key], where, key)


def _turns(value: Any, where: str, name: str) -> list[tuple[Role, str]]:
    turns = []
    for turn in as_list(value, where, f"{name!r}"):
        turn = as_object(turn, where, f"an element of {name!r}")
        speaker = as_text(turn.get("from", turn.get("role")), where, "'from'")
        if speaker not in ROLES:
            raise InputError(f"{where}: {speaker!r} is no known speaker{nearest(speaker, list(ROLES))}")
        turns.append((ROLES[speaker], as_text(turn.get("value", turn.get("content")), where, "'value'")))
    if not turns:
        raise InputError(f"{where}: {name!r} is empty")
    return turns


def _last(turns: list[tuple[Role, str]], where: str, name: str) -> str:
    role, text = turns[-1]
    if role != "assistant":
        raise InputError(f"{where}: {name!r} ends with a {role}'s turn, expected an answer")
    return text


def _said(value: Any, where: str, name: str) -> str:
    """An answer or a question, however it is wrapped."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping):
        value = value.get("value", value.get("content"))
    return as_text(value, where, f"{name!r}")


def _json(text: str, where: str) -> Record:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"{where}: 'text' holds no JSON: {error}") from error
    return as_object(value, where, "the JSON in 'text'")


def _rated(value: Any, where: str) -> tuple[str, str]:
    """The best and the worst of several answers by their mean rating; of equal ones the first."""
    rated = []
    for item in as_list(value, where, "'completions'"):
        item = as_object(item, where, "an element of 'completions'")
        marks = as_object(need(item, "annotations", where), where, "'annotations'").values()
        given = [need(as_object(mark, where, "an annotation"), "Rating", where) for mark in marks]
        ratings = [as_number(_number(value), where, "'Rating'") for value in given]
        if not ratings:
            raise InputError(f"{where}: an answer has no ratings")
        rated.append((sum(ratings) / len(ratings), as_text(need(item, "response", where), where, "'response'")))
    if len({score for score, _ in rated}) < 2:
        raise InputError(f"{where}: its {len(rated)} answers are all rated alike, so that none is chosen")
    return max(rated, key=lambda pair: pair[0])[1], min(rated, key=lambda pair: pair[0])[1]


def _number(value: Any) -> Any:
    """Ratings stand there as text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
