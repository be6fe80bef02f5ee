"""Folder-per-class data sets (ImageNet, CIFAR-10, Caltech-101, ModelNet, speech commands ...) asked as questions."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Mapping
from fnmatch import fnmatch
from itertools import accumulate
from pathlib import Path

from vistune.data.fields.media_files import SUFFIXES
from vistune.data.fields.names import read_names
from vistune.data.fields.questions import Questions
from vistune.data.readers.base import Reader
from vistune.errors import InputError, nearest
from vistune.files import kept
from vistune.sample import Media, MediaRef, Sample, Text, Turn

QUESTION = "What is shown here? Answer with one class name."


class ClassFolders(Reader):
    """`path/CLASS/file`: one question per file, answered with its class.

    path:       the folder of class folders
    question:   the question, or several: each file gets one of them, chosen by its name
    names:      class folder -> name to answer with (default: the folder's name with `_` as spaces), or a file of lines
                `n01440764 tench, Tinca tinca`, which then names every folder
    choices:    list all class names as the sample's choices
    pattern:    which files of a class folder belong to the data, e.g. "*.JPEG" or "train/*.off"

    Hidden files are not part of the data; any other file must be a known kind of medium. Ids are `CLASS/file`.
    """

    def __init__(
        self,
        path: str,
        question: str | list[str] = QUESTION,
        names: Mapping[str, str] | str | None = None,
        choices: bool = False,
        pattern: str = "*",
    ) -> None:
        self._path = Path(path)
        self._questions = Questions(question)
        self._classes = _folders(self._path)
        known = {} if names is None else read_names(names)
        if not isinstance(names, str) and (strange := sorted(set(known) - set(self._classes))):
            raise InputError(f"{path} has no class folder {strange[0]!r}{nearest(strange[0], self._classes)}")
        if isinstance(names, str) and (strange := sorted(set(self._classes) - set(known))):
            raise InputError(f"{names} has no name for the class folder {strange[0]!r}")
        self._names = [known.get(folder, folder.replace("_", " ")) for folder in self._classes]
        self._files = [_files(self._path / folder, pattern) for folder in self._classes]
        self._ends = list(accumulate(len(files) for files in self._files))
        self._choices = tuple(self._names) if choices else ()

    def __len__(self) -> int:
        return self._ends[-1]

    def sample(self, index: int) -> Sample:
        """One file, its question and its class as the answer."""
        label = bisect_right(self._ends, index)
        name = self._files[label][index - (self._ends[label - 1] if label else 0)]
        identity = f"{self._classes[label]}/{name}"
        path = kept(self._path, self._path / self._classes[label] / name)
        kind = SUFFIXES.get(path.suffix.lower())
        if kind is None:
            raise InputError(f"{path} is no known kind of medium: choose the files with pattern, for example pattern=*.jpg")
        answer = self._names[label]
        return Sample(
            id=identity,
            media=(Media.file(kind, str(path)),),
            turns=(Turn("user", (MediaRef(0), Text(self._questions.of(identity)))), Turn("assistant", (Text(answer),))),
            answers=(answer,),
            choices=self._choices,
            meta={"class": self._classes[label], "label": label},
            origin=str(path),
        )


def _folders(path: Path) -> list[str]:
    try:
        names = sorted(entry.name for entry in os.scandir(path) if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise InputError(f"cannot read the folder {path}: {error.strerror or error}") from error
    if not names:
        raise InputError(f"{path} holds no class folders")
    return names


def _files(folder: Path, pattern: str) -> list[str]:
    where, _, name_pattern = pattern.rpartition("/")
    inner = folder / where if where else folder
    try:
        entries = [entry.name for entry in os.scandir(inner) if entry.is_file() and not entry.name.startswith(".")]
    except OSError as error:
        raise InputError(f"cannot read the folder {inner}: {error.strerror or error}") from error
    prefix = f"{where}/" if where else ""
    return sorted(prefix + name for name in entries if fnmatch(name, name_pattern))
