"""Media as a browser shows them: copied into the study under the hash of their bytes, arrays encoded first."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np

from vistune.errors import InputError
from vistune.files import atomic_open
from vistune.sample import Media

# First bytes -> suffix. RIFF and ISO files say at byte 8 (or 4) what they hold.
_SIGNATURES = (
    (b"\x89PNG\r\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF8", ".gif"),
    (b"\x1aE\xdf\xa3", ".webm"),
    (b"fLaC", ".flac"),
)
CONTENT_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".webm": "video/webm",
    ".mp4": "video/mp4",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
}


def store(media: Media, folder: Path) -> str:
    """Copy one medium into `folder` unless it is there, and return its file name.

    Raises `InputError` for what a browser cannot show (point clouds, unknown encodings).
    """
    content = _encode(media)
    name = hashlib.sha256(content).hexdigest()[:32] + _suffix(content, media)
    if not (folder / name).exists():
        with atomic_open(folder / name, "wb") as file:
            file.write(content)
    return name


def _encode(media: Media) -> bytes:
    if not isinstance(media.data, np.ndarray):
        return media.read_bytes()
    from PIL import Image

    buffer = io.BytesIO()
    if media.kind == "image":
        Image.fromarray(media.data).save(buffer, "PNG")
    elif media.kind == "video":
        first, *rest = (Image.fromarray(frame) for frame in media.data)
        first.save(buffer, "WEBP", save_all=True, append_images=rest, duration=250, loop=0, lossless=True)
    else:
        raise InputError(f"{media.name} cannot be shown in a browser: human evaluation takes images, videos and encoded sound")
    return buffer.getvalue()


def _suffix(content: bytes, media: Media) -> str:
    for signature, suffix in _SIGNATURES:
        if content.startswith(signature):
            return suffix
    if content[:4] == b"RIFF" and content[8:12] in (b"WEBP", b"WAVE"):
        return ".webp" if content[8:12] == b"WEBP" else ".wav"
    if content[4:8] == b"ftyp":
        return ".mp4"
    raise InputError(f"{media.name} cannot be shown in a browser: use {', '.join(sorted(key[1:] for key in CONTENT_TYPES))}")
