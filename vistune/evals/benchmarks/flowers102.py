"""Oxford 102 Flowers (Nilsback & Zisserman, ICVGIP 2008), in CoOp's split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.few_shot_split import FewShotSplit


@dataclass(frozen=True)
class Flowers102(FewShotSplit):
    """2,463 test images of 102 kinds."""

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "split_zhou_OxfordFlowers.json", "images": "jpg"})
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"image": "image_00003.jpg", "prediction": "pink primrose"}]'}
    )
