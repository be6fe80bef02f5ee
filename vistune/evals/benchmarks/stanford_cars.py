"""Stanford Cars: 196 models of cars (Krause et al., ICCV Workshop 2013), in CoOp's split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.few_shot_split import FewShotSplit


@dataclass(frozen=True)
class StanfordCars(FewShotSplit):
    """8,041 test images."""

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "split_zhou_StanfordCars.json", "images": ""})
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"image": "cars_test/00003.jpg", "prediction": "2000 AM General Hummer SUV"}]'}
    )
