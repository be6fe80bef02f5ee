"""Pictures in request bodies: their bytes as base64, and what kind of file they are."""

from __future__ import annotations

import base64

from vistune.errors import InputError
from vistune.sample import Media

_SIGNATURES = (
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)


def mime_of(image: Media) -> str:
    """`image/png` and the like, from the first bytes. Raises `InputError` for a file that endpoints do not take."""
    content = image.read_bytes()
    kind = next((mime for signature, mime in _SIGNATURES if content.startswith(signature)), None)
    if kind is None:
        raise InputError(f"{image.name} is none of PNG, JPEG, GIF, WebP, which are what an endpoint takes")
    return kind


def base64_of(image: Media) -> str:
    """The file's bytes as text."""
    return base64.b64encode(image.read_bytes()).decode()
