"""Is an encoded picture whole? Decoders stop at the last row they find and would not miss the rest.

What follows a picture's end is no part of it: the film of a motion photo, a newline behind a GIF.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))  # JPEG markers without a length: TEM and the restarts
_FILL = bytes(range(1, 255)) * 64  # entropy-coded data of any kind; 0xFF would begin a marker
_RESTARTS = b"\xff\xdd\0\4"  # the marker that announces them
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of PNG's colour types
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_UNTOLD = (0, 0xFFFFFFFF)  # lengths that a RIFF file states when it was written into a pipe
_DENSEST = 1100  # bytes that one byte of a zlib stream can stand for, and a little more


def has_end(format_: str, data: bytes) -> bool:
    """Does the file reach its own end marker, or the length that it states?"""
    if format_ in ("JPEG", "MPO"):
        return jpeg_end(data) is not None
    if format_ == "PNG":
        return b"IEND\xaeB`\x82" in data
    if format_ == "GIF":
        return _gif_ends(data)
    return format_ != "WEBP" or riff_ends(data)


def jpeg_end(data: bytes) -> int | None:
    """Where a JPEG's end marker begins, found segment by segment, so that thumbnails and what follows do not count."""
    return next((place for marker, place in _segments(data) if marker == 0xD9), None)


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """(marker, where it begins) of a JPEG's segments, restarts included, up to its end marker."""
    place = 2
    while 0 <= (place := data.find(b"\xff", place)) <= len(data) - 2:
        marker = data[place + 1]
        if marker == 0xFF:  # fill bytes before a marker
            place += 1
            continue
        if marker:
            yield marker, place
        if marker == 0xD9:
            return
        # 0xFF as data (a zero follows) and restarts between intervals have no length
        place += 2 if marker == 0 or marker in _ALONE else 2 + int.from_bytes(data[place + 2 : place + 4])


def _lacks_restarts(data: bytes) -> bool:
    """Has a JPEG of one scan fewer restart marks than its size and interval call for?"""
    found: dict[int, list[int]] = {}
    for marker, place in _segments(data):
        found.setdefault(0xD0 if 0xD0 <= marker <= 0xD7 else marker, []).append(place)
    frame = next((found[marker][0] for marker in (0xC0, 0xC1) if marker in found), None)
    if frame is None or len(found.get(0xDA, ())) != 1:
        return False
    height, width, count = struct.unpack(">HHB", data[frame + 5 : frame + 10])
    factors = [data[frame + 11 + 3 * number] for number in range(count)]
    across, down = (max(map(pick, factors)) if count > 1 else 1 for pick in (lambda both: both >> 4, lambda both: both & 15))
    interval = int.from_bytes(data[found[0xDD][-1] + 4 : found[0xDD][-1] + 6])
    units = -(-width // (8 * across)) * -(-height // (8 * down)) if across and down else 0
    return interval > 0 and len(found.get(0xD0, ())) < -(-units // interval) - 1


def jpeg_closed_early(data: bytes, decoded: Any) -> bool:
    """Was a JPEG cut and given an end? Its decoder fills what is missing with mid-grey and says nothing.

    Only a picture that ends in such a block, or has restart marks, behind which the filling looks otherwise, is looked at
    again: with more data before its end, a whole one stays as it is.
    """
    corner = np.asarray(decoded.crop((max(0, decoded.width - 4), max(0, decoded.height - 4), decoded.width, decoded.height)))
    end = jpeg_end(data)
    restarts = end is not None and _RESTARTS in data[:end]
    if end is None or not ((corner == 128).all() or restarts):
        return False
    if restarts and _lacks_restarts(data):
        return True
    from PIL import Image

    with Image.open(io.BytesIO(data[:end] + _FILL + data[end:]), formats=("JPEG",)) as longer:
        longer.draft(None, decoded.size)
        try:
            longer.load()
        except OSError:  # the filling is no data of this picture's tables
            return True
        return longer.size == decoded.size and not np.array_equal(np.asarray(longer), np.asarray(decoded))


def png_claims_too_much(data: bytes) -> bool:
    """Has a PNG fewer bytes than its header's size can be packed into? Such a file costs memory for nothing."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        return False
    return _png_bytes(data) > _DENSEST * len(data)


def png_lacks_rows(data: bytes) -> bool:
    """Does a PNG's pixel data end before its last row? Counted without a decoder, which would leave those rows black."""
    place, packed = 8, []
    while place + 12 <= len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind = data[place + 4 : place + 8]
        if kind == b"IDAT":
            packed.append(data[place + 8 : place + 8 + length])
        elif kind == b"IEND":
            break
        place += 12 + length
    wanted, got = _png_bytes(data), 0
    stream = zlib.decompressobj()
    left = b"".join(packed)
    try:
        while got < wanted and not stream.eof:
            piece = stream.decompress(left, 1 << 20)
            left = stream.unconsumed_tail
            if not piece and not left:
                break
            got += len(piece)
    except zlib.error:
        return True
    return got < wanted


def _png_bytes(data: bytes) -> int:
    """Bytes of a PNG's unpacked pixel data, the filter byte of each row included."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    bits = depth * _CHANNELS.get(colour, 1)
    if not interlaced:
        return int(height * (1 + -(-width * bits // 8)))
    total = 0
    for left, top, across, down in _ADAM7:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        total += rows * (1 + -(-columns * bits // 8)) if columns > 0 and rows > 0 else 0
    return total


def _gif_ends(data: bytes) -> bool:
    """Whether a GIF's blocks lead to its trailer."""
    place = 13 + _table(data[10:11])
    while place < len(data):
        kind = data[place]
        if kind == 0x3B:
            return True
        if kind == 0x21:  # an extension: a label, then blocks
            place += 2
        elif kind == 0x2C:  # a picture: its place, its colours, a code size, then blocks
            place += 11 + _table(data[place + 9 : place + 10])
        else:
            return False
        while place < len(data) and data[place]:
            place += data[place] + 1
        place += 1
    return False


def _table(packed: bytes) -> int:
    """Bytes of the colour table that a packed field announces."""
    return 3 << ((packed[0] & 7) + 1) if packed and packed[0] & 0x80 else 0


def riff_ends(data: bytes) -> bool:
    """Whether a RIFF file (WAV, AVI, WebP) has the length that it states; who writes into a pipe states none."""
    return container_ends(data[:8], len(data))


def container_ends(head: bytes, size: int) -> bool:
    """Whether a film of `size` bytes that begins with `head` has the length that it states: AVI, and Matroska (webm, mkv)."""
    if head[:4] == b"RIFF":
        return int.from_bytes(head[4:8], "little") in _UNTOLD or size >= int.from_bytes(head[4:8], "little") + 8
    if head[:4] != b"\x1aE\xdf\xa3":
        return True
    length, begin = _vint(head, 4)
    begin += length or 0
    if length is None or head[begin : begin + 4] != b"\x18S\x80g":  # the segment, which holds everything
        return True
    length, begin = _vint(head, begin + 4)
    return length is None or begin + length <= size


def _vint(data: bytes, place: int) -> tuple[int | None, int]:
    """A number of EBML and where it ends; None where it is not known, as in a film that was sent while it was made."""
    first = data[place] if place < len(data) else 0
    wide = 9 - first.bit_length()
    number = int.from_bytes(data[place : place + wide]) & ((1 << 7 * wide) - 1)
    return (None if not first or number == (1 << 7 * wide) - 1 else number), place + wide


def ogg_ends(data: bytes) -> bool:
    """Whether an Ogg file's pages are whole and the last of them is marked as its end."""
    place, last = 0, False
    while data[place : place + 4] == b"OggS" and place + 27 <= len(data):
        segments = data[place + 26]
        place_of_table = place + 27
        end = place_of_table + segments + sum(data[place_of_table : place_of_table + segments])
        if end > len(data):
            return False
        last = bool(data[place + 5] & 4)
        place = end
    return last
