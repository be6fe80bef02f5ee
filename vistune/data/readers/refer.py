"""RefCOCO, RefCOCO+, RefCOCOg and ReferIt in the layout of the REFER toolbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vistune.data.fields.lookup import Lookup
from vistune.data.fields.media_files import folder_of, media_file
from vistune.data.fields.regions.boxes import unit_box
from vistune.data.fields.regions.coco_masks import instance_mask
from vistune.data.fields.regions.referring import Direction, referring_sample, wordings
from vistune.data.fields.typed import as_label, as_list, as_number, as_object, as_text, need
from vistune.data.readers.base import Reader
from vistune.data.records.json_records import open_records
from vistune.data.records.safe_pickle import load_plain_pickle
from vistune.errors import InputError, nearest
from vistune.sample import Region, Sample


class Refer(Reader):
    """Kazemzadeh et al., 2014; Yu et al., 2016. One sample per sentence.

    path:       `refs(unc).p`, a pickle of plain data (anything else in it is refused), or the same list as JSON
    instances:  `instances.json` in COCO's format (default: beside `path`)
    images:     the folder of the images
    split:      e.g. train, val, testA, testB (default: all)
    task:       "locate" (phrase to box) or "describe" (box to phrase)
    question:   wording(s) that hold `{phrase}` or `{region}`
    masks:      masks instead of boxes (needs pycocotools)
    """

    def __init__(
        self,
        path: str,
        images: str,
        instances: str | None = None,
        split: str | None = None,
        task: Direction = "locate",
        question: str | list[str] | None = None,
        masks: bool = False,
        clip: bool = False,
    ) -> None:
        self._path = path
        refs = _refs(path)
        beside = instances or str(Path(path).parent / "instances.json")
        self._objects, self._pictures = Lookup(beside, "annotations"), Lookup(beside, "images")
        self._folder, self._direction, self._masks, self._clip = folder_of(path, images), task, masks, clip
        self._questions = wordings(task, question)
        splits = {str(ref.get("split")) for ref in refs if isinstance(ref, dict)}
        if split is not None and split not in splits:
            raise InputError(f"{path} has no split {split!r}{nearest(split, sorted(splits))}")
        self._refs = [
            (ref, number, sentence)
            for number, ref in enumerate(refs)
            if split is None or not isinstance(ref, dict) or ref.get("split") == split
            for sentence in range(_sentences(ref))
        ]

    def __len__(self) -> int:
        return len(self._refs)

    def sample(self, index: int) -> Sample:
        """One sentence about one object."""
        ref, number, which = self._refs[index]
        where = f"{self._path}: reference {number + 1}, sentence {which + 1}"
        ref = as_object(ref, where)
        sentences = as_list(need(ref, "sentences", where), where, "'sentences'")
        if not sentences:
            raise InputError(f"{where}: the reference has no sentences")
        sentence = as_object(sentences[which], where, "a sentence")
        phrase = as_text(need(sentence, "sent", where), where, "'sent'").strip()
        target = self._objects.of(need(ref, "ann_id", where), where)
        picture = self._pictures.of(need(ref, "image_id", where), where)
        size = (
            as_number(need(picture, "width", where), where, "'width'"),
            as_number(need(picture, "height", where), where, "'height'"),
        )
        if self._masks:
            region = Region(mask=instance_mask(need(target, "segmentation", where), size, where), label=phrase)
        else:
            box = unit_box(need(target, "bbox", where), where, size, "xywh", name="bbox", clip=self._clip)
            region = Region(box=box, label=phrase)
        image = media_file("image", self._folder, need(picture, "file_name", where), where)
        identity = f"{as_label(ref.get('ref_id', number), where, 'ref_id')}:{which}"
        return referring_sample(identity, image, [region], self._direction, self._questions, where)


def _refs(path: str) -> list[Any]:
    if Path(path).suffix in (".json", ".jsonl"):
        records = open_records(path)
        return [records[index] for index in range(len(records))]
    refs = load_plain_pickle(path)
    if not isinstance(refs, list):
        raise InputError(f"{path} holds no list of references")
    return refs


def _sentences(ref: Any) -> int:
    """How many samples a reference makes; a broken reference makes a single sample, which reports it."""
    sentences = ref.get("sentences") if isinstance(ref, dict) else None
    return max(1, len(sentences)) if isinstance(sentences, list) else 1
