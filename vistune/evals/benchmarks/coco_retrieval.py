"""Image-text retrieval on COCO, Karpathy's test split: 5,000 images, 25,010 captions (Karpathy & Fei-Fei, CVPR 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vistune.evals.benchmarks.flickr30k_retrieval import Flickr30kRetrieval
from vistune.evals.reading.annotations import key_of, text_of


@dataclass(frozen=True)
class CocoRetrieval(Flickr30kRetrieval):
    """As Flickr30k, over COCO: images' ids are `cocoid`, captions' `sentid`. `fold` 0 to 4 is one thousand images of the split,
    whose mean is the 1K number; without it all are searched, the 5K number.
    """

    direction: Literal["image_to_text", "text_to_image"] = "image_to_text"
    split: Literal["train", "restval", "val", "test"] = "test"
    fold: int | None = None

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "dataset_coco.json", "images": "."})
    ids: ClassVar[str] = "`cocoid` of an image, `sentid` of a caption"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"rankings": '{"391895": ["771687", "30"]}'})
    departs: ClassVar[str] = "of equal ranks wrong ones come first"

    def picture(self, record: Any, where: str) -> tuple[str, str]:
        """The id of an image's record, and its file."""
        file = f"{text_of(record, 'filepath', where)}/{text_of(record, 'filename', where)}"
        return str(key_of(record, "cocoid", where)), file

    def chosen(self, place: int) -> bool:
        """Is the image at a place of the split searched?"""
        return self.fold is None or place // 1000 == self.fold
