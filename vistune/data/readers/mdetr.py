"""MDETR's annotations: COCO's JSON in which each image is one sentence and each box belongs to words of it."""

from __future__ import annotations

from typing import Literal

from vistune.data.fields.fieldmap import value_of
from vistune.data.fields.media_files import folder_of, media_file
from vistune.data.fields.questions import Questions
from vistune.data.fields.regions.boxes import unit_box
from vistune.data.fields.regions.by_image import ByImage, image_size
from vistune.data.fields.regions.referring import Direction, referring_sample, wordings
from vistune.data.fields.typed import Record, as_list, as_text, as_whole, need
from vistune.data.readers.base import Reader
from vistune.errors import InputError
from vistune.sample import MediaRef, Part, Region, Sample, Text, Turn

GROUNDED = "Describe this and say where each thing is."


class Mdetr(Reader):
    """Kamath et al., MDETR, ICCV 2021: `images[{id, file_name, width, height, caption}]`, `annotations[{image_id, bbox,
    tokens_positive}]`. One sample per image, and the same picture has as many as it has sentences.

    path:       e.g. `finetune_refcoco_train.json`, `final_flickr_mergedGT_train.json`
    images:     the folder of the images (default: the file's own)
    label:      what a box is called: "sentence" (the image's caption: referring expressions), "phrase" (the characters of it
                that `tokens_positive` gives, as [start, end] pairs) or "own" (the annotation's caption: Visual Genome, GRIT)
    task:       "describe" (box to label), "locate" (label to boxes) or "ground" (the sentence, boxes behind its phrases)
    question:   wording(s); they hold `{region}` or `{phrase}`, but for "ground"
    file_name:  the image's key that holds its file name, or a template such as "{original_id:012d}.jpg"
    clip:       cut boxes that reach outside their image instead of refusing the image

    An image without a box is refused, but for "ground", where it is a sentence.
    """

    def __init__(
        self,
        path: str,
        images: str | None = None,
        label: Literal["sentence", "phrase", "own"] = "sentence",
        task: Direction | Literal["ground"] = "describe",
        question: str | list[str] | None = None,
        file_name: str = "file_name",
        clip: bool = False,
    ) -> None:
        self._file, self._folder = ByImage(path), folder_of(path, images)
        self._label, self._task, self._file_name, self._clip = label, task, file_name, clip
        self._questions = Questions(question or GROUNDED) if task == "ground" else wordings(task, question)

    def __len__(self) -> int:
        return len(self._file)

    def declared(self, index: int) -> tuple[float, float]:
        """The size in the image's record, which the boxes are divided by."""
        image, _, where = self._file.image(index)
        return image_size(image, where)

    def sample(self, index: int) -> Sample:
        """One sentence with its boxes."""
        image, key, where = self._file.image(index)
        medium = media_file("image", self._folder, value_of(image, self._file_name, where), where)
        found = self._file.annotations(index)
        if self._task != "ground":
            regions = [self._region(record, image, at) for record, at in found]
            if not regions:
                raise InputError(f"{where}: image {key} has no annotation")
            return referring_sample(key, medium, regions, self._task, self._questions, where)
        caption = as_text(need(image, "caption", where), where, "'caption'")
        ends = [
            (spans[-1][1], self._region(record, image, at)) for record, at in found for spans in [_spans(record, caption, at)]
        ]
        asked = Turn("user", (MediaRef(0), Text(self._questions.of(key))))
        told = Turn("assistant", tuple(_grounded(caption, ends)))
        return Sample(key, (medium,), (asked, told), tuple(region for _, region in ends), origin=where)

    def _region(self, record: Record, image: Record, where: str) -> Region:
        box = unit_box(need(record, "bbox", where), where, image_size(image, where), "xywh", name="bbox", clip=self._clip)
        caption = record if self._label == "own" else image
        text = as_text(need(caption, "caption", where), where, "'caption'")
        if self._task == "ground" or self._label == "phrase":
            text = " ".join(text[start:end] for start, end in _spans(record, text, where))
        return Region(box=box, label=text.strip())


def _spans(record: Record, caption: str, where: str) -> list[tuple[int, int]]:
    """`tokens_positive` in order. Raises `InputError` for none, and for characters that the sentence does not have."""
    spans = []
    for pair in as_list(need(record, "tokens_positive", where), where, "'tokens_positive'"):
        ends = as_list(pair, where, "a pair of 'tokens_positive'")
        if len(ends) != 2:
            raise InputError(f"{where}: {pair!r} is no pair of a start and an end")
        start, end = (as_whole(one, where, "a place of 'tokens_positive'") for one in ends)
        if not 0 <= start < end <= len(caption):
            raise InputError(f"{where}: tokens_positive {pair!r} lies outside the sentence of {len(caption)} characters")
        spans.append((start, end))
    if not spans:
        raise InputError(f"{where}: 'tokens_positive' is empty")
    return sorted(spans)


def _grounded(caption: str, ends: list[tuple[int, Region]]) -> list[Part]:
    """The sentence, each region behind the last character of its words."""
    parts: list[Part] = []
    begin = 0
    for end in sorted({end for end, _ in ends}):
        parts += [Text(f"{caption[begin:end]} "), *(region for place, region in ends if place == end)]
        begin = end
    return [*parts, Text(caption[begin:])] if caption[begin:] else parts
