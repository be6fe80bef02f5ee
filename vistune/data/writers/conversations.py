"""LLaVA's conversations: a JSON array, or JSON Lines for a path that ends in .jsonl."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vistune.data.fields.placeholders import TAGS
from vistune.data.held import (
    Json,
    canonical,
    refuse,
    refuse_disorder,
    refuse_untrained,
    relative_name,
    tagged_text,
    write_records,
)
from vistune.data.readers.conversations import MEDIA_KEYS
from vistune.errors import InputError
from vistune.sample import Sample

READ: dict[str, object] = {"kind": "conversations"}

_SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt"}
_KEYS = {"image": "images", "video": "videos", "audio": "audios", "points": "points"}
_KNOWN = {"id", "conversations", "answers", "choices", "@key", *MEDIA_KEYS}


def write(samples: Iterable[Sample], path: str, images: Path) -> int:
    """Write all samples and return how many. Raises `InputError` for what the format cannot hold."""
    return write_records(path, (record(sample, images) for sample in samples))


def record(sample: Sample, images: Path) -> Json:
    """One sample as `{id, image(s), conversations, ...}`; `meta` joins the record."""
    form = "conversations"
    sample = canonical(sample)
    refuse(sample, form, regions=False)
    refuse_untrained(sample, form)
    refuse_disorder(sample, form)
    if not sample.turns:
        raise InputError(f"{sample.where}: {form} cannot hold a sample without turns")
    if clash := _KNOWN & sample.meta.keys():
        raise InputError(f"{sample.where}: its meta key {sorted(clash)[0]!r} has a meaning of its own in {form}")
    result: Json = {"id": sample.id}
    for kind, key in _KEYS.items():
        names = [relative_name(medium, images, sample, form) for medium in sample.media if medium.kind == kind]
        if len(names) == 1:
            result["point" if kind == "points" else kind] = names[0]
        elif names:
            result[key] = names
    tags = {kind: tag for tag, kind in TAGS.items()}
    result["conversations"] = [
        {"from": _SPEAKERS[turn.role], "value": tagged_text(turn.parts, tags, sample, form, role=turn.role)}
        for turn in sample.turns
    ]
    for key, values in (("answers", sample.answers), ("choices", sample.choices)):
        if values:
            result[key] = list(values)
    return result | dict(sample.meta)
