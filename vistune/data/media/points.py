"""From a `Media` to a point cloud `[N, 3 + C]`, refusing what is broken or far too large before it is decoded.

npy, npz   one array of numbers `[N, 3 + C]` (an npz holds this array alone), taken as it is
ply        ascii and binary: x, y, z of the vertices, then red, green, blue where they are named (whole numbers of a byte
           become [0, 1]); other properties, and elements such as faces, are passed over
off        x, y, z of the vertices, and of COFF their red, green, blue
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vistune.data.media.image import encoded_bytes
from vistune.data.media.ply import read_ply
from vistune.errors import InputError
from vistune.sample import Media

MAX_POINTS = 20_000_000
"""Largest cloud that is decoded, in points: 480 MB as float32 with colours."""

_MAX_VALUES = 64  # of one point: more are no cloud but some other table


def load_points(media: Media, where: str = "", max_points: int = MAX_POINTS) -> NDArray[np.float32]:
    """Decode a cloud, float32 `[N, 3 + C]`: x, y, z, then the other values of a point. `where` names the sample in errors.

    Raises `InputError` for a cloud that is unreadable, truncated, too large, empty, not finite or in an unknown format.
    """
    name = f"{where}: {media.kind} {media.name}" if where else f"{media.kind} {media.name}"
    if media.kind != "points":
        raise InputError(f"{name} is not a point cloud")
    held = media.data if isinstance(media.data, np.ndarray) else encoded_bytes(media, where)
    try:
        cloud = held if isinstance(held, np.ndarray) else _decode(held, max_points)
        _check_shape(cloud.shape, cloud.dtype, max_points)
        points = np.ascontiguousarray(cloud, dtype=np.float32)
        if not np.isfinite(points).all():
            row = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
            raise ValueError(f"has a point that is not finite: point {row + 1} of {len(points)}")
        return points
    except ValueError as error:  # the parsers' errors go on where the file's name ends
        raise InputError(f"{name} {error}") from error


def _decode(data: bytes, limit: int) -> NDArray[Any]:
    if data[:6] == b"\x93NUMPY":
        return _npy(data, limit)
    if data[:4] == b"PK\x03\x04":
        return _npz(data, limit)
    if data[:3] == b"ply":
        return read_ply(data, limit)
    if data[:3] == b"OFF" or data[:4] == b"COFF":
        return _off(data, limit)
    raise ValueError("is not a point cloud in a known format (npy, npz, ply, off)")


def _check_shape(shape: tuple[int, ...], dtype: np.dtype[Any], limit: int) -> None:
    if len(shape) != 2 or not 3 <= shape[1] <= _MAX_VALUES or dtype.kind not in "fiu":
        raise ValueError(f"is an array of {dtype} {list(shape)}, expected numbers [points, 3 + further values]")
    if not shape[0]:
        raise ValueError("has no points")
    if shape[0] > limit:
        raise ValueError(f"has {shape[0]} points: more than the {limit / 1e6:.0f} million that are decoded; thin it first")


def _npy(data: bytes, limit: int) -> NDArray[Any]:
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, _, dtype = reader(file)
    except Exception as error:  # NumPy reads the header as Python: what that raises differs from version to version
        raise ValueError("is truncated or damaged: it begins like an npy file but has no whole header") from error
    _check_shape(shape, dtype, limit)
    needed, there = shape[0] * shape[1] * dtype.itemsize, len(data) - file.tell()
    if there < needed:
        raise ValueError(f"is truncated: it has {there} of {needed} bytes of numbers")
    file.seek(0)
    array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _npz(data: bytes, limit: int) -> NDArray[Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) != 1:
                names = ", ".join(member.filename for member in members[:5])
                raise ValueError(f"holds {len(members)} arrays ({names}), expected one alone")
            if members[0].file_size > limit * _MAX_VALUES * 8:  # nothing is unpacked that could not be a cloud
                raise ValueError(f"holds {members[0].file_size} bytes, more than any cloud that is decoded")
            return _npy(archive.read(members[0]), limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"is truncated or damaged: {error}") from error


def _off(data: bytes, limit: int) -> NDArray[Any]:
    kind, width = ("COFF", 6) if data[:1] == b"C" else ("OFF", 3)
    # the counts stand on the next line or, in some files of ModelNet40, right behind the keyword
    lines = [words for line in data[len(kind) :].splitlines() if (words := line.partition(b"#")[0].split())]
    if not lines or len(lines[0]) < 2 or not lines[0][0].isdigit():
        raise ValueError("is truncated or damaged: no number of vertices follows OFF")
    count, rows = int(lines[0][0]), lines[1:]
    _check_shape((count, width), np.dtype(np.float64), limit)
    whole = [row[:width] for row in rows[:count] if len(row) >= width]
    if len(whole) < count:
        raise ValueError(f"is truncated or damaged: it has {len(whole)} of {count} vertices with {width} numbers")
    faces = int(lines[0][1]) if lines[0][1].isdigit() else 0
    if len(rows) < count + faces:  # the last vertex may be cut in a number, too
        raise ValueError(f"is truncated or damaged: it has {len(rows) - count} of {faces} faces")
    try:
        table = np.array([[float(word) for word in row] for row in whole])
    except ValueError as error:
        raise ValueError("is damaged: a vertex is not made of numbers") from error
    if width == 6 and table[:, 3:].max() > 1:  # colours of a byte
        table[:, 3:] /= 255
    return table
