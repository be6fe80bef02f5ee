"""Shikra's referential dialogues: phrases marked in the text, boxes in a list, and which boxes each phrase means."""

from __future__ import annotations

import re
from typing import Any

from vistune.data.fields.media_files import folder_of, media_file
from vistune.data.fields.regions.boxes import unit_box
from vistune.data.fields.typed import Record, as_list, as_number, as_object, as_text, as_whole, need
from vistune.data.media.image import image_size
from vistune.data.readers.base import Reader
from vistune.data.records.json_records import open_records
from vistune.errors import InputError
from vistune.sample import MediaRef, Part, Region, Sample, Text, Turn

_PHRASE = re.compile(r"<ph_st>(.*?)<ph_ed>")


class Shikra(Reader):
    """Chen et al., Shikra, 2023 (Shikra-RD): `{img_path, boxes, question, question_boxes_seq, cot_with_ans, answer_boxes_seq}`.

    path:           the file
    images:         the folder of the images (default: the file's own)
    answer:         the key of the answer (`cot_with_ans`, or `answer` without marks)
    width, height:  the record's keys of the image's size (default: read from the image's header; boxes are in pixels)

    Each marked phrase is followed by its regions, labelled with it.
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        answer: str = "cot_with_ans",
        width: str | None = None,
        height: str | None = None,
        clip: bool = False,
    ) -> None:
        self._records = open_records(path)
        self._folder, self._answer, self._size, self._clip = folder_of(path, images), answer, (width, height), clip

    def __len__(self) -> int:
        return len(self._records)

    def sample(self, index: int) -> Sample:
        """One question and its answer."""
        where = self._records.where(index)
        record = as_object(self._records[index], where)
        image = media_file("image", self._folder, need(record, "img_path", where), where)
        width, height = self._size
        if width is None or height is None:
            size: tuple[float, float] = image_size(image, where)
        else:
            size = as_number(need(record, width, where), where, width), as_number(need(record, height, where), where, height)
        listed = as_list(need(record, "boxes", where), where, "'boxes'")
        boxes = [unit_box(box, where, size, name="boxes", clip=self._clip) for box in listed]
        question = self._parts(record, "question", "question_boxes_seq", boxes, where)
        answer = self._parts(record, self._answer, "answer_boxes_seq", boxes, where)
        return Sample(
            id=str(record.get("id", index)),
            media=(image,),
            turns=(Turn("user", (MediaRef(0), *question)), Turn("assistant", tuple(answer))),
            regions=tuple(Region(box=box) for box in boxes),
            answers=(as_text(record["answer"], where, "'answer'"),) if "answer" in record else (),
            origin=where,
        )

    def _parts(self, record: Record, text_key: str, boxes_key: str, boxes: list[Any], where: str) -> list[Part]:
        text = as_text(need(record, text_key, where), where, f"{text_key!r}")
        pieces = _PHRASE.split(text)
        groups = as_list(record.get(boxes_key) or (), where, f"{boxes_key!r}") if len(pieces) > 1 else ()
        if len(groups) != len(pieces) // 2:
            raise InputError(f"{where}: {len(pieces) // 2} marked phrases, but {boxes_key!r} has {len(groups)} entries")
        parts: list[Part] = []
        plain = pieces[0]
        for phrase, rest, group in zip(pieces[1::2], pieces[2::2], groups, strict=True):
            plain += phrase
            for number in as_list(group, where, f"an entry of {boxes_key!r}"):
                if not 0 <= as_whole(number, where, "a box number") < len(boxes):
                    raise InputError(f"{where}: {boxes_key!r} names box {number} of {len(boxes)}")
                parts += [Text(plain + " ")] if plain else []
                parts.append(Region(box=boxes[number], label=phrase))
                plain = ""
            plain += rest
        return [*parts, Text(plain)] if plain else parts
