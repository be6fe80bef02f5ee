"""A folder of pictures, films, sounds or point clouds, each with the same question: data to ask about, without truth."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from pathlib import Path

from vistune.data.fields.media_files import SUFFIXES
from vistune.data.fields.questions import Questions
from vistune.data.readers.base import Reader
from vistune.errors import InputError
from vistune.files import kept
from vistune.sample import Media, MediaRef, Sample, Text, Turn

QUESTION = "Describe this in one sentence."


class Folder(Reader):
    """`path/**/file`: one question about every file whose ending is that of a medium, in the order of their names.

    path:       the folder, read with the folders in it
    question:   the question, or several: each file gets one of them, chosen by its name
    answer:     what is to be answered to each, for training (none: only to be asked)
    pattern:    which files, by their names, e.g. "*.jpg"

    Hidden files and folders are no part of the data, nor are files of other kinds. Ids are paths in the folder.
    """

    def __init__(self, path: str, question: str | list[str] = QUESTION, answer: str | None = None, pattern: str = "*") -> None:
        self._path = Path(path)
        if not self._path.is_dir():
            raise InputError(f"{path} is no folder")
        self._questions, self._answer = Questions(question), answer
        self._names = sorted(_names(self._path, pattern))
        if not self._names:
            raise InputError(f"{path} holds no pictures, films, sounds or point clouds named {pattern}")

    def __len__(self) -> int:
        return len(self._names)

    def sample(self, index: int) -> Sample:
        """One file and its question."""
        name = self._names[index]
        path = kept(self._path, self._path / name)
        asked = Turn("user", (MediaRef(0), Text(f"\n{self._questions.of(name)}")))
        told = () if self._answer is None else (Turn("assistant", (Text(self._answer),)),)
        medium = Media.file(SUFFIXES[path.suffix.lower()], str(path))
        return Sample(id=name, media=(medium,), turns=(asked, *told), origin=str(path))


def _names(path: Path, pattern: str) -> list[str]:
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if not name.startswith(".") and fnmatch(name, pattern) and Path(name).suffix.lower() in SUFFIXES:
                found.append(Path(folder, name).relative_to(path).as_posix())
    return found
