"""The project's own JSON Lines, which hold everything; media paths become relative to the images' folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from vistune.data.held import relative_name, write_records
from vistune.sample import Media, Sample

READ: dict[str, object] = {"kind": "samples"}


def write(samples: Iterable[Sample], path: str, images: Path) -> int:
    """Write one sample a line and return how many. Raises `InputError` for a file outside `images`."""
    return write_records(path, (_placed(sample, images).to_json() for sample in samples), lines=True)


def _placed(sample: Sample, images: Path) -> Sample:
    media = (medium if medium.path is None else _relative(medium, images, sample) for medium in sample.media)
    return replace(sample, media=tuple(media))


def _relative(medium: Media, images: Path, sample: Sample) -> Media:
    assert medium.path is not None
    return replace(medium, path=relative_name(Media.file(medium.kind, medium.path), images, sample, "samples"))
