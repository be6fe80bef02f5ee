"""Media of finished samples: pictures that were made in memory become files beside the samples."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from vistune.errors import InputError
from vistune.files import atomic_open
from vistune.sample import Media, Sample

_SUFFIXES = ((b"\x89PNG", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"GIF8", ".gif"), (b"RIFF", ".webp"))
_PIXELS = 200_000_000


def encoded(sample: Sample) -> Sample:
    """The sample with decoded picture arrays as PNG bytes, which any viewer takes; everything else stays as it is."""
    return replace(sample, media=tuple(encoded_medium(medium) for medium in sample.media))


def encoded_medium(medium: Media) -> Media:
    """A picture in memory as PNG bytes, every other medium as it is."""
    from PIL import Image

    if medium.kind != "image" or not isinstance(medium.data, np.ndarray):
        return medium
    buffer = io.BytesIO()
    Image.fromarray(medium.data).save(buffer, "PNG")
    return Media("image", data=buffer.getvalue())


def filed(media: Iterable[Media], folder: Path) -> tuple[Media, ...]:
    """The media with encoded bytes written to `folder/media/` (named by their content), and paths relative to `folder`.

    Files outside the folder keep their absolute path; decoded arrays (films, points, sounds) stay as they are.
    """
    return tuple(_filed(medium, folder) for medium in media)


def _filed(medium: Media, folder: Path) -> Media:
    if medium.path is not None:
        path = Path(os.path.abspath(medium.path))
        inside = path.is_relative_to(folder.resolve())
        return replace(medium, path=str(path.relative_to(folder.resolve()) if inside else path))
    if not isinstance(medium.data, bytes):
        return medium
    suffix = next((suffix for start, suffix in _SUFFIXES if medium.data.startswith(start)), ".bin")
    name = f"media/{hashlib.sha256(medium.data).hexdigest()[:24]}{suffix}"
    if not (folder / name).exists():
        with atomic_open(folder / name, "wb") as file:
            file.write(medium.data)
    return Media(medium.kind, path=name)


def size_of(medium: Media) -> tuple[int, int]:
    """(width, height), read from the header alone. Raises `InputError` for a file that is no picture."""
    from PIL import Image, UnidentifiedImageError

    if not isinstance(medium.data, bytes) and medium.data is not None:
        height, width = medium.data.shape[:2]
        return width, height
    try:
        with Image.open(io.BytesIO(medium.read_bytes())) as picture:
            size = picture.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise InputError(f"{medium.name} is no picture: {error}") from error
    if size[0] * size[1] > _PIXELS:
        raise InputError(f"{medium.name} has {size[0]} x {size[1]} pixels, more than {_PIXELS}")
    return size
