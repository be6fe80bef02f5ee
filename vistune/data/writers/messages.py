"""Chat messages with content lists, as TRL reads them, with the media in columns: a JSON array, or JSON Lines (.jsonl)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vistune.data.fields.placeholders import TAGS
from vistune.data.held import Json, canonical, refuse, refuse_disorder, refuse_untrained, relative_name, write_records
from vistune.data.readers.messages import COLUMNS
from vistune.errors import InputError
from vistune.sample import MediaRef, Part, Produce, Sample, Text, Turn

READ: dict[str, object] = {"kind": "messages"}

_KEYS = {"image": "images", "video": "videos", "audio": "audios"}
_KNOWN = {"id", "messages", "prompt", "completion", "@key", *COLUMNS}


def write(samples: Iterable[Sample], path: str, images: Path) -> int:
    """Write all samples and return how many. Raises `InputError` for what the format cannot hold."""
    return write_records(path, (record(sample, images) for sample in samples))


def record(sample: Sample, images: Path) -> Json:
    """One sample as `{id, messages: [{role, content: [...]}], images: [...]}`; `meta` joins the record."""
    form = "messages"
    sample = canonical(sample)
    refuse(sample, form, regions=False, answers=False, choices=False)
    refuse_untrained(sample, form)
    refuse_disorder(sample, form)
    if not sample.turns:
        raise InputError(f"{sample.where}: {form} cannot hold a sample without turns")
    clash = _KNOWN & sample.meta.keys() or {key for key, value in sample.meta.items() if value is None}
    if clash:
        raise InputError(f"{sample.where}: its meta key {sorted(clash)[0]!r} cannot be kept in {form}")
    result: Json = {"id": sample.id, "messages": [_message(turn, sample) for turn in sample.turns]}
    for kind, key in _KEYS.items():
        if names := [relative_name(medium, images, sample, form) for medium in sample.media if medium.kind == kind]:
            result[key] = names
    return result | dict(sample.meta)


def _message(turn: Turn, sample: Sample) -> Json:
    return {"role": turn.role, "content": [_content(part, turn, sample) for part in turn.parts]}


def _content(part: Part, turn: Turn, sample: Sample) -> Json:
    if isinstance(part, Text):
        if tag := next((tag for tag in TAGS if tag in part.text), None):
            raise InputError(f"{sample.where}: its text holds {tag!r}, which would be read as a medium")
        return {"type": "text", "text": part.text}
    # Whether a medium is shown to the assistant or produced by it is said by the turn's role alone.
    if not isinstance(part, Produce if turn.role == "assistant" else MediaRef):
        raise InputError(f"{sample.where}: messages cannot hold a {type(part).__name__} in a turn of the {turn.role}")
    kind = sample.media[part.index].kind
    if kind not in _KEYS:
        raise InputError(f"{sample.where}: messages cannot hold {kind}")
    return {"type": kind}
