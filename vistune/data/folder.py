"""A folder of pictures, films, sounds or shapes as samples that all ask one question."""

from __future__ import annotations

from pathlib import Path

from vistune.data.fields.media_files import SUFFIXES
from vistune.errors import InputError
from vistune.files import escapes
from vistune.sample import Media, MediaRef, Sample, Text, Turn


def one_question(folder: Path, question: str) -> list[Sample]:
    """A sample for each file of a known kind, in the order of their paths, which are the samples' ids.

    Hidden files and links out of the folder are passed over. Raises `InputError` for a folder without any such file.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: name one that holds pictures or films")
    samples = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        kind = SUFFIXES.get(path.suffix.lower())
        if kind is None or not path.is_file() or escapes(folder, path) or any(part.startswith(".") for part in inside.parts):
            continue
        turn = Turn("user", (MediaRef(0), Text(f"\n{question}")))
        samples.append(Sample(inside.as_posix(), (Media.file(kind, str(path)),), (turn,), origin=str(path)))
    if not samples:
        raise InputError(f"{folder} holds no file of a known kind ({', '.join(sorted(SUFFIXES))})")
    return samples
