"""A medium that a model made, as a file: encoded bytes as they are, a picture as PNG, any other array as NumPy writes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from vistune.errors import InputError
from vistune.sample import Media

_SIGNATURES = {
    b"\x89PNG": ".png",
    b"RIFF": ".wav",
    b"\xff\xd8\xff": ".jpg",
    b"ply\n": ".ply",
    b"OggS": ".ogg",
    b"fLaC": ".flac",
}


def keep(medium: Media, stem: Path) -> Path:
    """Write `medium` as `stem` with the ending of its format; returns the file. Raises `InputError` if it cannot."""
    try:
        if isinstance(medium.data, np.ndarray):
            return _array(medium.kind, medium.data, stem)
        data = medium.read_bytes()
        ending = next((ending for begin, ending in _SIGNATURES.items() if data.startswith(begin)), ".bin")
        return _bytes(data, stem.with_name(stem.name + ending))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot write {stem}: {' '.join(str(error).split())}") from error


def _array(kind: str, data: np.ndarray, stem: Path) -> Path:
    if kind == "image":
        file = stem.with_name(f"{stem.name}.png")
        Image.fromarray(data).save(file)
        return file
    file = stem.with_name(f"{stem.name}.npy")
    np.save(file, data)
    return file


def _bytes(data: bytes, file: Path) -> Path:
    file.write_bytes(data)
    return file
