"""The files inside a tar archive by offset: headers are read once, contents stay where they are."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vistune.errors import InputError


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its content is the bytes `[offset, offset + length)` of the archive."""

    name: str
    offset: int
    length: int


def tar_members(path: str | Path) -> Iterator[Member]:
    """The regular files of an uncompressed tar archive, in order.

    Raises `InputError` for a file that is no tar archive, a compressed one (it has no random access), and one that is cut
    short: also where only the last file's content or the end mark is missing.
    """
    try:
        size = os.stat(path).st_size
        with tarfile.open(path, "r:", errorlevel=2) as archive:
            end = 0
            for entry in archive:
                end = entry.offset_data + -(-entry.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
                if end > size:
                    raise InputError(f"{path}: {entry.name!r} at byte {entry.offset_data} is cut short")
                if entry.isreg() and not entry.sparse:
                    yield Member(entry.name, entry.offset_data, entry.size)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise InputError(f"{path} is no whole, uncompressed tar archive: {error}") from error
    with open(path, "rb") as file:
        file.seek(end)
        rest = file.read(2 * tarfile.BLOCKSIZE)
    if len(rest) < tarfile.BLOCKSIZE or rest.strip(b"\0"):
        raise InputError(f"{path}: the archive has no end mark after byte {end}: it is cut short or damaged there")
