"""Referring expression comprehension on ReferIt (RefCLEF), of ImageCLEF's pictures (Kazemzadeh et al., EMNLP 2014)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.evals.benchmarks.ref_coco_comprehension import RefCocoComprehension


@dataclass(frozen=True)
class RefClef(RefCocoComprehension):
    """As RefCOCO, over `refclef/refs({partition}).p`: `berkeley` has train, val and test, `unc` val, testA, testB and testC.

    The test split of `berkeley` has 60,103 expressions, which is what papers call ReferIt.
    """

    partition: Literal["berkeley", "unc"] = "berkeley"
    split: str = "test"

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "refclef/refs(berkeley).p", "instances": "refclef/instances.json", "images": "saiapr_tc-12"}
    )
    ids: ClassVar[str] = "`sent_id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"sent_id": 1, "answer": "[0.1, 0.1, 0.4, 0.9]"}]'})
    departs: ClassVar[str] = ""

    def official(self) -> str:
        """Where the expressions are in the official download."""
        return f"refclef/refs({self.partition}).p"
