"""Pictures in request bodies: their bytes as base64, and what kind of file they are."""

from __future__ import annotations

import base64
import io

from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.sample import Media

_SIGNATURES = (
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


class PictureError(InputError):
    """A picture that cannot be sent."""


def sent(image: Media) -> tuple[str, str]:
    """What an endpoint takes: (`image/png` and the like, base64). Any other format that we decode goes as PNG.

    Raises `PictureError` for a file that is missing, broken, too large to decode, or no picture.
    """
    try:
        content = image.read_bytes()
        kind = _kind(content)
        if not kind:
            buffer = io.BytesIO()
            load_image(image).save(buffer, "PNG")
            kind, content = "image/png", buffer.getvalue()
    except InputError as error:
        raise PictureError(str(error)) from error
    return kind, base64.b64encode(content).decode()


def _kind(content: bytes) -> str:
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for signature, mime in _SIGNATURES if content.startswith(signature)), "")
