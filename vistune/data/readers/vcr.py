"""Visual Commonsense Reasoning: questions, answers and reasons that point at the people and things of a film still."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from vistune.data.fields.lettered import LETTERS
from vistune.data.fields.media_files import folder_of, inside, media_file
from vistune.data.fields.regions.boxes import unit_box
from vistune.data.fields.typed import as_list, as_number, as_object, as_text, as_whole, need
from vistune.data.readers.base import RecordReader
from vistune.data.records.json_records import open_records
from vistune.data.records.whole_file import WholeFile
from vistune.errors import InputError
from vistune.sample import MediaRef, Part, Region, Sample, Text, Turn


class Vcr(RecordReader):
    """Zellers et al., CVPR 2019: `{img_fn, metadata_fn, objects, question, answer_choices, ...}`.

    path:    train.jsonl, val.jsonl or test.jsonl
    images:  the folder of pictures and of their metadata, `vcr1images` (default: the file's own)
    task:    "answer": the question with its four answers; "rationale": the question and its right answer with four reasons
    list_choices:  show the lettered choices; the answer is then the letter. Otherwise the right text is taught, with regions

    A text's number lists, `[0, 2]`, are objects: each becomes its name, counted within its class (`person1`), and its box.
    Without a label (the test split) a sample has no answer.
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        task: Literal["answer", "rationale"] = "answer",
        list_choices: bool = False,
    ) -> None:
        self._records = open_records(Path(path), None)
        self._folder, self._task, self._listed = folder_of(path, images), task, list_choices

    def made(self, record: Any, index: int, where: str) -> Sample:
        """One question."""
        image = media_file("image", self._folder, as_text(need(record, "img_fn", where), where, "'img_fn'"), where)
        things = self._things(record, where)
        asked = self._said(need(record, "question", where), things, where)
        answers = self._choices(record, "answer_choices", things, where)
        choices = answers if self._task == "answer" else self._choices(record, "rationale_choices", things, where)
        if self._task == "rationale":
            known = self._right(record, "answer_label", answers, where)
            asked = [*asked, Text(" "), *(answers[known] if known is not None else [])]
        right = self._right(record, f"{self._task}_label", choices, where)
        if self._listed:
            for number, choice in enumerate(choices):
                asked = [*asked, Text(f"\n{LETTERS[number]}. "), *choice]
        turns = [Turn("user", (MediaRef(0), *asked))]
        if right is not None:
            turns.append(Turn("assistant", (Text(LETTERS[right]),) if self._listed else tuple(choices[right])))
        texts = tuple(_plain(choice) for choice in choices)
        told = () if right is None else (texts[right],)
        identity = as_text(need(record, "annot_id", where), where, "'annot_id'")
        return Sample(identity, (image,), tuple(turns), tuple(things), told, texts, origin=where)

    def _things(self, record: Any, where: str) -> list[Region]:
        """The objects in the picture, named by their classes and counted."""
        file = self._folder / inside(as_text(need(record, "metadata_fn", where), where, "'metadata_fn'"), where)
        metadata = as_object(WholeFile(file)[0], str(file))
        size = tuple(as_number(need(metadata, name, str(file)), str(file), repr(name)) for name in ("width", "height"))
        boxes = as_list(need(metadata, "boxes", str(file)), str(file), "'boxes'")
        names = [as_text(name, where, "an object") for name in as_list(need(record, "objects", where), where, "'objects'")]
        if len(boxes) < len(names):
            raise InputError(f"{where}: {len(names)} objects, but {file} has {len(boxes)} boxes")
        counts: dict[str, int] = {}
        regions = []
        for name, box in zip(names, boxes, strict=False):
            counts[name] = counts.get(name, 0) + 1
            corners = as_list(box, str(file), "a box")[:4]
            regions.append(
                Region(box=unit_box(corners, str(file), (size[0], size[1]), clip=True), label=f"{name}{counts[name]}")
            )
        return regions

    def _choices(self, record: Any, name: str, things: list[Region], where: str) -> list[list[Part]]:
        choices = [self._said(one, things, where) for one in as_list(need(record, name, where), where, repr(name))]
        if not 1 <= len(choices) <= len(LETTERS):
            raise InputError(f"{where}: {name!r} has {len(choices)} choices, expected 4")
        return choices

    def _right(self, record: Any, name: str, choices: Sequence[object], where: str) -> int | None:
        if name not in record:
            return None
        number = as_whole(need(record, name, where), where, repr(name))
        if not 0 <= number < len(choices):
            raise InputError(f"{where}: {name!r} is {number}, but there are {len(choices)} choices")
        return number

    def _said(self, tokens: Any, things: list[Region], where: str) -> list[Part]:
        """Words and objects as text and regions; marks stand at the word before them."""
        parts: list[Part] = []
        text = ""
        for token in as_list(tokens, where, "a text"):
            if isinstance(token, list):
                for place, number in enumerate(as_whole(one, where, "an object's number") for one in token):
                    if not 0 <= number < len(things):
                        raise InputError(f"{where}: object {number} of {len(things)}")
                    joint = " and " if place else " " if text or parts else ""
                    parts += [Text(f"{text}{joint}{things[number].label} "), things[number]]
                    text = ""
            else:
                word = as_text(token, where, "a word")
                text += word if (not parts and not text) or word in _MARKS else f" {word}"
        return [*parts, Text(text)] if text else parts


_MARKS = frozenset(".,?!;:") | {"'s", "n't", "'re", "'m"}


def _plain(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text)).replace("  ", " ").replace(" .", ".").strip()
