"""COCO captions (Chen et al., Microsoft COCO Captions, 2015), official and Karpathy splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vistune.data.fields.typed import as_object
from vistune.errors import InputError
from vistune.evals.benchmark import answers, field_of, result_list
from vistune.evals.metrics.captions import captions
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import KARPATHY, asked, key_of, list_of, medium, one_of, text_of
from vistune.evals.reading.sources import Content, load_json, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class CocoCaptions:
    """`split` chooses from Karpathy's `dataset_coco.json`; `metrics` are those of `captions`."""

    split: Literal["train", "restval", "val", "test"] = "test"
    prompt: str = "Provide a one-sentence caption for the provided image."
    metrics: tuple[str, ...] = ("CIDEr", "Bleu", "ROUGE_L")

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "annotations/captions_val2014.json", "images": "val2014"}
    )
    answer_form: ClassVar[str] = "one sentence"
    result_form: ClassVar[str] = '[{"image_id", "caption"}]'
    ids: ClassVar[str] = "`id` of the image (Karpathy's file: `cocoid`)"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"image_id": 391895, "caption": "A man on a moped."}]'}
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample an image, its captions as answers, from the official file or Karpathy's."""
        path = locate(source, self.files["annotations"])
        value = load_json(path)
        images = [
            as_object(image, f"{path}: image {index + 1}") for index, image in enumerate(list_of(value, "images", str(path)))
        ]
        if images and "sentences" in images[0]:
            return [
                self._karpathy(path, index, image)
                for index, image in enumerate(images)
                if one_of(image, "split", KARPATHY, f"{path}: image {index + 1}") == self.split
            ]
        groups: dict[Any, list[str]] = {
            key_of(image, "id", f"{path}: image {index + 1}"): [] for index, image in enumerate(images)
        }
        for index, record in enumerate(list_of(value, "annotations", str(path))):
            where = f"{path}: annotation {index + 1}"
            groups.setdefault(key_of(record, "image_id", where), []).append(text_of(record, "caption", where))
        names = {image["id"]: image.get("file_name", f"{image['id']}.jpg") for image in images}
        if strangers := groups.keys() - names.keys():
            raise InputError(f"{path}: a caption belongs to image {min(map(str, strangers))}, which is not among the images")
        folder = path.parent.parent / self.files["images"]
        return [
            asked(identifier, self.prompt, [medium(folder, names[identifier])], group, origin=str(path))
            for identifier, group in groups.items()
        ]

    def _karpathy(self, path: Path, index: int, image: Any) -> Sample:
        where = f"{path}: image {index + 1}"
        name = f"{image.get('filepath', '')}/{field_of(image, 'filename', where)}".lstrip("/")
        sentences = [text_of(sentence, "raw", where) for sentence in list_of(image, "sentences", where)]
        return asked(image.get("cocoid", index), self.prompt, [medium(path.parent, name)], sentences, origin=where)

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The caption challenge's result list."""
        return result_list(content, "image_id", "caption")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """CIDEr-D first."""
        return captions(answers(predictions), [sample.answers for sample in samples], self.metrics)
