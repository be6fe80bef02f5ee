"""Flickr30k Entities: sentences with marked phrases, and XML files with the boxes of the marked entities."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from vistune.data.fields.media_files import folder_of, inside, media_file
from vistune.data.fields.questions import Questions
from vistune.data.fields.regions.boxes import unit_box
from vistune.data.fields.regions.referring import referring_sample, wordings
from vistune.data.readers.base import Reader
from vistune.data.records.json_records import Lines
from vistune.data.records.safe_xml import child_number, child_text, read_xml
from vistune.errors import InputError
from vistune.sample import Box, MediaRef, Part, Region, Sample, Text, Turn

GROUNDED = "Describe this and say where each thing is."
_PHRASE = re.compile(r"\[/EN#(\d+)((?:/[a-z]+)+) ([^\[\]]+)\]")


class Flickr30kEntities(Reader):
    """Plummer et al., 2015. One sample per sentence.

    path:      the folder that holds `Sentences` and `Annotations`
    images:    the folder of the photographs
    split:     a list of ids, one a line (default: every file of `Sentences`)
    task:      "caption" (the sentence with its boxes behind the phrases) or "locate" (each phrase to its boxes)
    question:  wording(s); for "locate" they hold `{phrase}`

    Phrases without a box (scenes, non-visual ones) stay plain text.
    """

    def __init__(
        self,
        path: str,
        images: str,
        split: str | None = None,
        task: Literal["caption", "locate"] = "caption",
        question: str | list[str] | None = None,
        clip: bool = False,
    ) -> None:
        self._path, self._folder, self._task, self._clip = Path(path), folder_of(path, images), task, clip
        self._questions = Questions(question or GROUNDED) if task == "caption" else wordings("locate", question)
        if not (self._path / "Sentences").is_dir() or not (self._path / "Annotations").is_dir():
            raise InputError(f"{path} holds no folders Sentences and Annotations")
        if split is None:
            names = sorted(file.stem for file in (self._path / "Sentences").glob("*.txt"))
        else:
            listed = Lines(Path(split))
            names = [inside(listed.text(number), listed.where(number)) for number in range(len(listed))]
        self._sentences = [(name, line) for name in names for line in range(self._count(name))]

    def _count(self, name: str) -> int:
        return len(Lines(self._path / "Sentences" / f"{name}.txt"))

    def __len__(self) -> int:
        return len(self._sentences)

    def sample(self, index: int) -> Sample:
        """One sentence with the boxes of its phrases."""
        name, line = self._sentences[index]
        lines = Lines(self._path / "Sentences" / f"{name}.txt")
        where, identity = lines.where(line), f"{name}:{line}"
        boxes = self._boxes(name)
        image = media_file("image", self._folder, f"{name}.jpg", where)
        parts = _parts(lines.text(line), boxes, where)
        regions = tuple(part for part in parts if isinstance(part, Region))
        if self._task == "locate":
            if not regions:
                raise InputError(f"{where}: no phrase of the sentence has a box")
            return referring_sample(identity, image, regions, "locate", self._questions, where)
        user = Turn("user", (MediaRef(0), Text(self._questions.of(identity))))
        caption = "".join(part.text for part in parts if isinstance(part, Text))
        answers = (re.sub(r" +", " ", caption),)
        return Sample(identity, (image,), (user, Turn("assistant", parts)), regions, answers, origin=where)

    def _boxes(self, name: str) -> dict[str, list[Box]]:
        """Entity number -> its boxes."""
        path = str(self._path / "Annotations" / f"{name}.xml")
        root = read_xml(path)
        size = child_number(root, "size/width", path), child_number(root, "size/height", path)
        boxes: dict[str, list[Box]] = {}
        for element in root.iterfind("object"):
            if element.find("bndbox") is None:  # <nobndbox> or <scene>
                continue
            sides = [child_number(element, f"bndbox/{side}", path) for side in ("xmin", "ymin", "xmax", "ymax")]
            child_text(element, "name", path)
            for entity in element.iterfind("name"):
                boxes.setdefault((entity.text or "").strip(), []).append(unit_box(sides, path, size, clip=self._clip))
        return boxes


def _parts(sentence: str, boxes: dict[str, list[Box]], where: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    text, position = "", 0
    for match in _PHRASE.finditer(sentence):
        text += sentence[position : match.start()] + match[3]
        position = match.end()
        for box in boxes.get(match[1], ()):
            parts += [Text(text + " "), Region(box=box, label=match[3])]
            text = ""
    text += sentence[position:]
    if "[/EN#" in text:
        raise InputError(f"{where}: a phrase mark [/EN#...] is broken")
    return (*parts, Text(text)) if text else tuple(parts)
