"""DAQUAR's official files: questions and answers on alternating lines, and a list of the split's images."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from vistune.data.fields.media_files import folder_of, inside
from vistune.data.readers.base import Reader
from vistune.data.records.json_records import Lines
from vistune.errors import InputError
from vistune.files import kept
from vistune.sample import Media, MediaRef, Sample, Text, Turn

_IMAGE = re.compile(r"\bimage\d+\b")


class Daquar(Reader):
    """Malinowski & Fritz, 2014: `what is ... in the image3 ?` followed by a line of comma-separated answers.

    path:       `all_qa_pairs.txt`
    split:      a list of image names, one a line (`train_images_list.txt`); default: all questions
    images:     the folder of the photographs (default: `images` beside the file)
    extension:  of the photographs' names

    The taught answer is the whole line ("chair, table"), `answers` its parts. Opening reads the questions' lines once to find
    those of the split.
    """

    def __init__(self, path: str, split: str | None = None, images: str | None = None, extension: str = "jpg") -> None:
        self._lines = Lines(Path(path))
        if len(self._lines) % 2:
            raise InputError(f"{path} has {len(self._lines)} lines: the last question has no answer")
        self._folder = folder_of(path, images or str(Path(path).parent / "images"))
        self._extension = extension
        questions = np.arange(0, len(self._lines), 2)
        self._questions = questions if split is None else questions[self._in_split(questions, split)]

    def __len__(self) -> int:
        return len(self._questions)

    def sample(self, index: int) -> Sample:
        """One question about one photograph."""
        line = int(self._questions[index])
        where = self._lines.where(line)
        question, answer = self._lines.text(line), self._lines.text(line + 1)
        image = self._image(question)
        if image is None:
            raise InputError(f"{where}: the question names no image")
        return Sample(
            id=f"{image}:{line // 2}",
            media=(Media.file("image", str(kept(self._folder, self._folder / inside(f"{image}.{self._extension}", where)))),),
            turns=(Turn("user", (MediaRef(0), Text(question))), Turn("assistant", (Text(answer),))),
            answers=tuple(part.strip() for part in answer.split(",")),
            origin=where,
        )

    def _image(self, question: str) -> str | None:
        names = _IMAGE.findall(question)
        return names[-1] if names else None

    def _in_split(self, questions: np.ndarray[tuple[int], np.dtype[np.int64]], split: str) -> list[bool]:
        listed = Lines(Path(split))
        names = {listed.text(number) for number in range(len(listed))}
        # A question that names no image belongs to no split; it is kept so that reading it reports it.
        return [
            image is None or image in names for image in (self._image(self._lines.text(line)) for line in questions.tolist())
        ]
