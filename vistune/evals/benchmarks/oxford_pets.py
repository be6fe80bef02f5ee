"""Oxford-IIIT Pets: 37 breeds of cats and dogs (Parkhi et al., CVPR 2012), in CoOp's split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.few_shot_split import FewShotSplit


@dataclass(frozen=True)
class OxfordPets(FewShotSplit):
    """3,669 test images."""

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "split_zhou_OxfordPets.json", "images": "images"})
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"image": "abyssinian_3.jpg", "prediction": "abyssinian"}]'}
    )
