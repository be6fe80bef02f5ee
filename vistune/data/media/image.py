"""From a `Media` to an RGB picture, refusing what would be guessed, half-read or far too large.

What is settled here, once, for training, checking and serving:

    EXIF orientation   applied: width, height and every box are those of the upright picture
    16-bit gray        scaled to 8 bits (v / 257); 32-bit integers and floats have no known range and are refused
    transparency       laid over white, at any depth
    CMYK, palette, 1   converted by Pillow
    several frames     the first one
    truncated files    refused, also where a decoder would not notice (no end marker, rows that it fills in); what follows
                       the end is no part of the picture
    size               read from the header and refused above `MAX_PIXELS` before a pixel is decoded

The formats are a closed list: Pillow would otherwise hand e.g. PostScript to an external program.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from vistune.data.media.completeness import has_end, jpeg_closed_early, png_claims_too_much, png_lacks_rows
from vistune.errors import InputError, reading
from vistune.files import regular
from vistune.sample import Media

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

MAX_PIXELS = 80_000_000
"""Largest picture that is decoded, in pixels: 240 MB as RGB. Just below where Pillow begins to warn."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")

_ORIENTATION = 0x0112  # the EXIF tag


def load_image(
    media: Media, where: str = "", *, at_least: tuple[int, int] | None = None, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """Decode an image to upright 8-bit RGB.

    `where` names the sample in error messages. `at_least` (width, height) allows a JPEG to be decoded at 1/2, 1/4 or 1/8
    of its size, as long as it stays at least that large: several times faster when it is scaled down afterwards anyway.
    Raises `InputError` for an unreadable, truncated, oversized or unsupported image.
    """
    if isinstance(media.data, np.ndarray):
        return _from_array(media.data, _name(media, where), max_pixels)
    from vistune.data.media.to_rgb import over_white, to_rgb, transparent_gray

    data = encoded_bytes(media, where)
    name = _name(media, where)
    with _open(media, data, where, max_pixels) as image:
        _check_complete(image.format or "", data, name)
        orientation = _orientation(image)
        if at_least is not None:
            wanted = at_least if orientation < 5 else (at_least[1], at_least[0])
            image.draft(None, wanted)
        key = transparent_gray(data, image)
        image.load()
        _check_rows(image, data, name)
        return _upright(to_rgb(image, name) if key is None else over_white(image, key), orientation)


def load_labels(media: Media, where: str = "") -> NDArray[Any]:
    """Decode a label map (PNG): pixel values as they are stored, palette indices included, `[H, W]` uint8 or uint16.

    Raises `InputError` for a colour image and for whatever `load_image` refuses.
    """
    data = encoded_bytes(media, where)
    with _open(media, data, where, MAX_PIXELS) as image:
        if image.format != "PNG" or image.mode not in ("L", "P", "1", "I;16", "I;16B"):
            raise InputError(
                f"{_name(media, where)} is no label map: expected a PNG with one value per pixel, not {image.mode}"
            )
        _check_complete("PNG", data, _name(media, where))
        return np.asarray(image).astype(np.uint8 if image.mode in ("L", "P", "1") else np.uint16)


def image_size(media: Media, where: str = "") -> tuple[int, int]:
    """Width and height of the upright picture, from the header alone. Raises `InputError` when there is no such header."""
    if isinstance(media.data, np.ndarray):
        _check_array(media.data, _name(media, where))
        return int(media.data.shape[1]), int(media.data.shape[0])
    data = None if media.path is not None and media.offset is None else encoded_bytes(media, where)
    with _open(media, data, where, None) as image:
        width, height = image.size
        return (width, height) if _orientation(image) < 5 else (height, width)


@contextmanager
def stored_image(media: Media, where: str = "") -> Iterator[Image.Image]:
    """A picture as its file holds it, opened and not yet decoded: for questions about its mode and frames."""
    with _open(media, encoded_bytes(media, where), where, None) as image:
        yield image


def encoded_bytes(media: Media, where: str = "") -> bytes:
    """The medium's encoded bytes; a byte range that reaches past the end of its file is refused."""
    try:
        data = media.read_bytes()
    except InputError as error:
        raise InputError(f"{where}: {error}" if where else str(error)) from error
    if media.length is not None and len(data) != media.length:
        raise InputError(f"{_name(media, where)}: the file ends after {len(data)} of {media.length} bytes")
    return data


def content_hash(medium: Media, where: str = "") -> str:
    """SHA-256 of a medium's encoded bytes, or of its array and that array's shape."""
    if isinstance(medium.data, np.ndarray):
        head = f"{medium.data.dtype} {medium.data.shape}".encode()
        return hashlib.sha256(head + np.ascontiguousarray(medium.data).tobytes()).hexdigest()
    return hashlib.sha256(encoded_bytes(medium, where)).hexdigest()


def _name(media: Media, where: str) -> str:
    return f"{where}: {media.kind} {media.name}" if where else f"{media.kind} {media.name}"


@contextmanager
def _open(media: Media, data: bytes | None, where: str, max_pixels: int | None) -> Iterator[Image.Image]:
    """Open an image (from its file when `data` is None); every failure inside becomes an `InputError` that names it."""
    from PIL import Image, UnidentifiedImageError

    name = _name(media, where)
    if media.kind != "image":
        raise InputError(f"{name} is not an image")
    try:
        source: Any = io.BytesIO(data) if data is not None else regular(media.path or "")
        with warnings.catch_warnings():  # above its own limit Pillow warns, above ours the picture is refused
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(source, formats=_known_formats())
        with opened as image:
            if max_pixels is not None and image.width * image.height > max_pixels:
                raise InputError(_too_large(name, f"{image.width}x{image.height}", max_pixels))
            yield image
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"{name} is not an image in a known format ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise InputError(_too_large(name, _claimed_size(media, data), max_pixels or MAX_PIXELS)) from error
    except OSError as error:
        raise InputError(f"{name} cannot be decoded: {error.strerror or error}") from error
    except Exception as error:  # a plugin fed with broken bytes raises whatever its parser ran into
        raise InputError(f"{name} cannot be decoded: {type(error).__name__}: {error}") from error


@cache
def _known_formats() -> tuple[str, ...]:
    """Those of `FORMATS` that the installed Pillow has (AVIF came late)."""
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _claimed_size(media: Media, data: bytes | None) -> str:
    """`30000x30000`, as the header says: Pillow's own refusal does not tell. Its plugins read the header only."""
    from PIL import Image

    head = encoded_bytes(media) if data is None else data
    for name in _known_formats():
        factory, accept = Image.OPEN[name]
        if accept is None or accept(head[:16]) is True:
            try:
                with reading("its header"), factory(io.BytesIO(head), "") as image:
                    return f"{image.width}x{image.height}"
            except InputError:  # of a plugin that decodes to know the size, and was fed with broken bytes
                return "huge"
    return "huge"


def _too_large(name: str, size: str, max_pixels: int) -> str:
    return f"{name} is {size}: more than the {max_pixels / 1e6:.0f} megapixels that are decoded; scale it down first"


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1..8 (1: upright; from 5 on, width and height are exchanged). Unknown values count as upright."""
    value = image.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    from PIL import Image

    turns = Image.Transpose
    turn = {
        2: turns.FLIP_LEFT_RIGHT,
        3: turns.ROTATE_180,
        4: turns.FLIP_TOP_BOTTOM,
        5: turns.TRANSPOSE,
        6: turns.ROTATE_270,
        7: turns.TRANSVERSE,
        8: turns.ROTATE_90,
    }.get(orientation)
    return image if turn is None else image.transpose(turn)


def _check_array(array: NDArray[Any], name: str) -> None:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise InputError(f"{name} is an array of {array.dtype} {list(array.shape)}, expected uint8 [height, width, 3]")


def _from_array(array: NDArray[Any], name: str, max_pixels: int) -> Image.Image:
    from PIL import Image

    _check_array(array, name)
    if array.shape[0] * array.shape[1] > max_pixels:
        raise InputError(_too_large(name, f"{array.shape[1]}x{array.shape[0]}", max_pixels))
    return Image.fromarray(array)


def _check_complete(format_: str, data: bytes, name: str) -> None:
    """Refuse a file that lacks its end, and a PNG that claims more pixels than its bytes can hold."""
    if not has_end(format_, data):
        raise InputError(f"{name} is truncated: the {format_} data has no end")
    if format_ == "PNG" and png_claims_too_much(data):
        raise InputError(f"{name} cannot be decoded: its {len(data)} bytes cannot hold the pixels that its header claims")


def _check_rows(image: Image.Image, data: bytes, name: str) -> None:
    """Refuse a decoded picture whose last rows were never in the file; only one that ends as decoders fill is looked at."""
    if image.format == "PNG" and not image.crop((0, max(0, image.height - 2), image.width, image.height)).getbbox():
        if png_lacks_rows(data):
            raise InputError(f"{name} is truncated: its pixel data ends before its last row")
    elif image.format in ("JPEG", "MPO") and jpeg_closed_early(data, image):
        raise InputError(f"{name} is truncated: its pixel data ends before its last row")
