"""Grounded captions: a description whose phrases have masks, GranD-f (Rasheed et al., GLaMM, CVPR 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np

from vistune.data.fields.regions.coco_masks import instance_mask
from vistune.data.fields.typed import as_number, as_object
from vistune.errors import InputError
from vistune.evals.benchmark import answers, field_of
from vistune.evals.metrics.captions import captions
from vistune.evals.metrics.coco_ap import coco_ap
from vistune.evals.metrics.grounded_captions import Grounded, paired_iou, recalled
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, key_of, list_of, medium, sections, text_of, texts_of, whole_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class GroundedCaptions:
    """`split` val has 2,500 pictures, test 5,000. An answer is the caption; the extras `phrases` and `pred_masks` (run lengths)
    belong together. A mask is recalled when it overlaps by one half and its phrase is like the reference's.

    `likeness`: the official one is the cosine of BERT's mean states, over one half, which needs that model; `words` is that of
    the phrases' word counts, and not comparable with published recalls. AP, mIoU and the caption metrics are the official ones.
    """

    split: Literal["val", "test"] = "val"
    likeness: Literal["words"] = "words"
    metrics: tuple[str, ...] = ("CIDEr",)
    prompt: str = "Describe the picture in detail. Answer with interleaved masks for the phrases."

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "{split}_gcg_coco_caption_gt.json", "masks": "{split}_gcg_coco_mask_gt.json", "images": "images"}
    )
    answer_form: ClassVar[str] = "a caption, with phrases and their masks in the extras"
    result_form: ClassVar[str] = 'a folder of {image id}.json: {name: {"caption", "phrases", "pred_masks"}}'
    ids: ClassVar[str] = "`id` of the image"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "lines of sa_1.json in a folder": (
                '{"sa_1.jpg": {"caption": "A man with an umbrella.", "phrases": ["A man", "an umbrella"], '
                '"pred_masks": [{"size": [20, 40], "counts": "08<00000000000000000hb0"}, {"size": [20, 40], '
                '"counts": "h=::0000000000000X6"}]}}'
            )
        }
    )
    departs: ClassVar[str] = "`Recall` likens phrases by their words, officially by the states of BERT: it is not comparable"

    def read(self, source: str) -> list[Sample]:
        """A sample a picture, its labels and masks in `meta`."""
        path = locate(source, f"{self.split}_gcg_coco_caption_gt.json")
        masks = path.with_name(f"{self.split}_gcg_coco_mask_gt.json")
        images, told = sections(path, "images", "annotations")
        found: dict[str | int, list[Any]] = {}
        for where, record in sections(masks, "annotations")[0]:
            whole = {name: as_number(record[name], where, repr(name)) for name in ("area",) if name in as_object(record, where)}
            kept = {"segmentation": field_of(record, "segmentation", where), **whole}
            found.setdefault(key_of(record, "image_id", where), []).append(kept)
        texts: dict[str | int, tuple[str, list[str]]] = {}
        for where, record in told:
            texts.setdefault(
                key_of(record, "image_id", where), (text_of(record, "caption", where), texts_of(record, "labels", where))
            )
        samples = []
        for where, record in images:
            name = key_of(record, "id", where)
            if name not in texts:
                raise InputError(f"{where}: image {name} has no caption")
            size = (whole_of(record, "width", where), whole_of(record, "height", where))
            file = medium(path.parent / self.files["images"], str(record.get("file_name", f"{name}.jpg")))
            meta = {"labels": texts[name][1], "annotations": found.get(name, []), "size": size, "image": name}
            samples.append(asked(name, self.prompt, [file], [texts[name][0]], meta=meta, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """GLaMM's folder of one file a picture, each named inside or not."""
        if content.form != "folder":
            return None
        found = []
        for name, held in content.value.items():
            value = held.value
            if held.form == "json" and isinstance(value, dict) and len(value) == 1:
                value = next(iter(value.values()))
            if isinstance(value, dict) and {"caption", "phrases", "pred_masks"} <= value.keys():
                extras = {"phrases": value["phrases"], "pred_masks": value["pred_masks"]}
                found.append(Prediction(name.rpartition(".")[0], text_of(value, "caption", str(held.path)), extras=extras))
        return found or None

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The caption metrics first, then AP and AP50 of the masks, mIoU and Recall."""
        text = captions(answers(predictions), [sample.answers for sample in samples], self.metrics)
        truths = [_truth(sample) for sample in samples]
        guesses = [_guess(prediction, sample) for prediction, sample in zip(predictions, samples, strict=True)]
        ious = [paired_iou(guess.masks, truth.masks) for guess, truth in zip(guesses, truths, strict=True)]
        hits = sum(recalled(guess, truth) for guess, truth in zip(guesses, truths, strict=True))
        owed = sum(len(truth.labels) for truth in truths)
        values = {**_average_precision(samples, predictions), "mIoU": float(np.mean(ious)) if ious else float("nan")}
        values["Recall"] = hits / owed if owed else float("nan")
        return replace(text, rule=f"gcg/{self.likeness} {text.rule}", values={**text.values, **values})


def _truth(sample: Sample) -> Grounded:
    masks = [
        instance_mask(record.get("segmentation"), sample.meta["size"], sample.where) for record in sample.meta["annotations"]
    ]
    return Grounded([str(label) for label in sample.meta["labels"]], masks)


def _guess(prediction: Prediction | None, sample: Sample) -> Grounded:
    if prediction is None or "pred_masks" not in prediction.extras:
        return Grounded([], [])
    where = f"prediction of {sample.where}"
    phrases = texts_of(prediction.extras, "phrases", where)
    masks = [instance_mask(mask, sample.meta["size"], where) for mask in list_of(prediction.extras, "pred_masks", where)]
    return Grounded(phrases, masks)


def _average_precision(samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> dict[str, float]:
    """AP and AP50 of the masks as one class, every mask with the score 1."""
    numbers = list(range(1, len(samples) + 1))
    images = [
        {"id": number, "width": sample.meta["size"][0], "height": sample.meta["size"][1]}
        for number, sample in zip(numbers, samples, strict=True)
    ]
    records = [
        {"area": 0.0, **record, "id": place, "image_id": number, "category_id": 1, "iscrowd": 0}
        for place, (number, record) in enumerate(
            (
                (number, record)
                for number, sample in zip(numbers, samples, strict=True)
                for record in sample.meta["annotations"]
            ),
            1,
        )
    ]
    found = [
        None
        if prediction is None
        else [
            {"category_id": 1, "score": 1.0, "segmentation": mask}
            for mask in list_of(prediction.extras, "pred_masks", sample.where)
        ]
        if "pred_masks" in prediction.extras
        else []
        for prediction, sample in zip(predictions, samples, strict=True)
    ]
    annotations = {"images": images, "annotations": records, "categories": [{"id": 1, "name": "object"}]}
    result = coco_ap(found, numbers, annotations, "segm")
    return {"AP": result.values["AP"], "AP50": result.values["AP50"]}
