"""What a file format can hold: the checks that writers share. Each raises `InputError` naming the sample and the remedy."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from vistune.errors import InputError
from vistune.files import atomic_open, atomic_path
from vistune.sample import Media, MediaKind, MediaRef, Part, Produce, Sample, Text, Turn

Json: TypeAlias = dict[str, Any]

_MAGIC = {
    b"\xff\xd8\xff": "jpg",
    b"\x89PNG": "png",
    b"GIF8": "gif",
    b"RIFF": "webp",
    b"BM": "bmp",
    b"II*\0": "tif",
    b"MM\0*": "tif",
}
_ENDINGS = {"video": "mp4", "audio": "wav", "points": "npy"}


def relative_name(medium: Media, root: Path, sample: Sample, form: str) -> str:
    """The medium's path below `root`, as other systems write it (`/`)."""
    if medium.path is None or medium.offset is not None:
        raise InputError(f"{sample.where}: {medium.name} is no file of its own, which {form} needs: use --extract FOLDER")
    here, there = os.path.abspath(medium.path), os.path.abspath(root)
    # Compared as absolute paths without following links: a folder of links to pictures elsewhere is a usual way to hold them.
    if os.path.commonpath([here, there]) != there:
        raise InputError(f"{sample.where}: {medium.path} is not inside {root}: give --images FOLDER that holds all media")
    return Path(os.path.relpath(here, there)).as_posix()


def write_records(path: str, records: Iterable[Json], *, lines: bool = False) -> int:
    """A JSON array, one record a line, or JSON Lines for a path that ends in .jsonl (or with `lines`); gives their number.

    Raises `InputError` naming the record for what JSON cannot hold, as parquet does: NaN, bytes, a date; and for file names
    that are no text.
    """
    array, count = not (lines or path.endswith(".jsonl")), 0
    with atomic_open(path) as file:
        for count, record in enumerate(records, 1):
            start = "" if not array else "[\n" if count == 1 else ",\n"
            file.write(start + json_line(record, f"record {record.get('id', count)!r}") + ("" if array else "\n"))
        file.write("" if not array else "\n]\n" if count else "[]\n")
    return count


def json_line(record: Json, where: str) -> str:
    """The record as JSON in one line. Raises `InputError`, beginning with `where`, for what JSON cannot hold."""
    try:
        text = json.dumps(record, ensure_ascii=False, allow_nan=False)
        text.encode("utf-8")  # a file name that is not UTF-8 comes as halves of surrogate pairs
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: JSON cannot hold it: {error}") from error
    return text


def refuse(sample: Sample, form: str, **held: bool) -> None:
    """Refuse a sample that has something `form` does not hold: `refuse(sample, "qa", regions=False, meta=False)`."""
    parts = {"regions": sample.regions, "answers": sample.answers, "choices": sample.choices, "meta": sample.meta}
    for name, holds in held.items():
        if not holds and parts[name]:
            raise InputError(f"{sample.where}: {form} cannot hold its {name}: leave them out with --drop {name}")


def refuse_untrained(sample: Sample, form: str) -> None:
    """Refuse turns that are marked as not to be trained on."""
    if any(not turn.train for turn in sample.turns):
        raise InputError(f"{sample.where}: {form} cannot say which turns are not trained on")


def question_and_answer(sample: Sample, form: str) -> tuple[str, str | None]:
    """The texts of a sample that shows all its media in order, asks one thing and answers it with text (or not at all)."""
    refuse_untrained(sample, form)
    shown: list[Part] = [MediaRef(number) for number in range(len(sample.media))]
    roles = [turn.role for turn in sample.turns]
    if roles in (["user"], ["user", "assistant"]):
        *media, question = sample.turns[0].parts or (Text(""),)
        answer = sample.turns[1].parts if len(roles) == 2 else (Text(""),)
        if media == shown and isinstance(question, Text) and len(answer) == 1 and isinstance(answer[0], Text):
            return question.text, answer[0].text if len(roles) == 2 else None
    raise InputError(f"{sample.where}: {form} holds one question after its media and one answer, both plain text")


def tagged_text(parts: Iterable[Part], tags: Mapping[MediaKind, str], sample: Sample, form: str, *, role: str) -> str:
    """Parts as one text with a placeholder for each medium. Refuses regions, and text that holds a placeholder itself."""
    texts = []
    for part in parts:
        if isinstance(part, Text):
            if tag := next((tag for tag in tags.values() if tag in part.text), None):
                raise InputError(f"{sample.where}: its text holds {tag!r}, which would be read as a medium")
            texts.append(part.text)
        elif isinstance(part, Produce if role == "assistant" else MediaRef):
            texts.append(tags[sample.media[part.index].kind])
        else:
            raise InputError(f"{sample.where}: {form} cannot hold a {type(part).__name__} in a turn of the {role}")
    return "".join(texts)


def refuse_disorder(sample: Sample, form: str) -> None:
    """Placeholders have no numbers: each medium is mentioned once, those of a kind in order and neighbours."""
    kinds = [medium.kind for medium in sample.media]
    ordered = sorted(range(len(kinds)), key=lambda number: (("image", "video", "audio", "points").index(kinds[number]), number))
    mentioned = [part.index for turn in sample.turns for part in turn.parts if isinstance(part, MediaRef | Produce)]
    by_kind = [[number for number in mentioned if kinds[number] == kind] for kind in dict.fromkeys(kinds)]
    if (
        ordered != list(range(len(kinds)))
        or len(mentioned) != len(kinds)
        or any(group != sorted(set(group)) for group in by_kind)
    ):
        raise InputError(f"{sample.where}: {form} can only show every medium once and in order, sorted by kind")


def canonical(sample: Sample) -> Sample:
    """Neighbouring texts joined and empty texts left out, in every turn, as any text format does."""
    return replace(sample, turns=tuple(joined(turn) for turn in sample.turns))


def joined(turn: Turn) -> Turn:
    """A turn with neighbouring texts joined and empty ones left out."""
    parts: list[Part] = []
    for part in turn.parts:
        if isinstance(part, Text) and parts and isinstance(parts[-1], Text):
            parts[-1] = Text(parts[-1].text + part.text)
        elif part != Text(""):
            parts.append(part)
    return replace(turn, parts=tuple(parts))


def extracted(samples: Iterable[Sample], folder: Path) -> Iterator[Sample]:
    """The samples with media that live in memory or in a byte range written to files below `folder`, named by content."""
    for sample in samples:
        yield replace(sample, media=tuple(_extract(medium, folder) for medium in sample.media))


def _extract(medium: Media, folder: Path) -> Media:
    if medium.path is not None and medium.offset is None:
        return medium
    data, ending = encoded_file(medium)
    target = folder / f"{hashlib.sha256(data).hexdigest()[:32]}.{ending}"
    # Named by content, so a file that is there is the same; a second run writes nothing.
    if not target.exists():
        with atomic_path(target) as temporary:
            temporary.write_bytes(data)
    return Media.file(medium.kind, str(target))


def encoded_file(medium: Media) -> tuple[bytes, str]:
    """The bytes of a file that holds the medium, and the ending its name should have."""
    if not isinstance(medium.data, np.ndarray):
        data = medium.read_bytes()
        if medium.kind != "image":
            return data, _ENDINGS[medium.kind]
        # By the bytes, not by a name: media in memory have none, and the endings of data sets from the web are often wrong.
        known = next((ending for magic, ending in _MAGIC.items() if data.startswith(magic)), None)
        if known is None:
            raise InputError(f"{medium.name} is no image of a known format")
        return data, known
    buffer = io.BytesIO()
    if medium.kind == "image":
        from vistune.data.media.image import load_image

        load_image(medium).save(buffer, "PNG")
        return buffer.getvalue(), "png"
    np.save(buffer, medium.data, allow_pickle=False)
    return buffer.getvalue(), "npy"
