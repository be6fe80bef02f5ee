"""Which file a record means: a name inside the folder the user gave, never anywhere else, never a URL."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from vistune.data.fields.typed import wrong
from vistune.errors import InputError
from vistune.files import escapes
from vistune.sample import Media, MediaKind

SUFFIXES: dict[str, MediaKind] = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".jp2", ".avif"), "image"),
    **dict.fromkeys((".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".m4v", ".flv", ".wmv"), "video"),
    **dict.fromkeys((".wav", ".flac", ".mp3", ".ogg", ".m4a", ".opus"), "audio"),
    **dict.fromkeys((".npy", ".ply", ".off", ".pcd", ".obj", ".xyz"), "points"),
}
"""The kind of medium a file name's ending stands for."""


def media_file(kind: MediaKind, folder: str | Path, name: Any, where: str) -> Media:
    """The medium `folder/name`; the file is not opened.

    Raises `InputError`, beginning with `where`, when `name` is not text, is empty, is a URL, or leaves the folder.
    """
    if not isinstance(name, str):
        raise wrong(where, f"the {kind}'s file name", name, "text")
    path = os.path.join(folder, inside(_relative(name, folder), where, kind))
    if escapes(folder, path):
        raise InputError(f"{where}: {kind} {name!r} is a link that leads out of the folder it should be in")
    return Media.file(kind, path)


def _relative(name: str, folder: str | Path) -> str:
    """An absolute path that lies in the folder as the path from there; any other name as it is."""
    root = os.path.join(os.path.abspath(folder), "")
    return name[len(root) :] if name.startswith(root) else name


def inside(name: str, where: str, what: str = "file") -> str:
    """`name` when it is a relative path that stays inside its folder. Raises `InputError` otherwise."""
    if not name or any(ord(character) < 32 for character in name):
        raise InputError(
            f"{where}: the {what}'s file name {name[:80]!r} is {'broken: it holds a control character' if name else 'empty'}"
        )
    if "://" in name or name.startswith("data:"):
        raise InputError(f"{where}: {what} {name[:80]!r} is a URL, which is never fetched: download it and name the file")
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor:
        raise InputError(f"{where}: {what} {name!r} lies outside the folder it should be in")
    return name


def folder_of(path: str | Path, folder: str | None) -> Path:
    """The media folder a reader was given; without one, the annotation file's. Raises `InputError` when it is not there."""
    chosen = Path(path).parent if folder is None else Path(folder)
    if chosen.is_file():
        raise InputError(f"{chosen} is a file, not the folder that media are in: unpack it and name the folder")
    if not chosen.is_dir():
        raise InputError(f"the media folder {chosen} does not exist")
    return chosen
