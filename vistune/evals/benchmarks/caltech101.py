"""Caltech-101: pictures of objects (Fei-Fei et al., CVPR Workshop 2004), in CoOp's split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.few_shot_split import FewShotSplit


@dataclass(frozen=True)
class Caltech101(FewShotSplit):
    """2,465 test images of 100 classes."""

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "split_zhou_Caltech101.json", "images": "101_ObjectCategories"}
    )
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"image": "off-center_face/image_0003.jpg", "prediction": "off-center_face"}]'}
    )
