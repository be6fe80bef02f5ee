"""MSRVTT-QA: questions made from captions of web films (Xu et al., ACM Multimedia 2017), in MSVD-QA's layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmarks.msvd_qa import MsvdQa


@dataclass(frozen=True)
class MsrvttQa(MsvdQa):
    """The test split has 72,821 questions."""

    video: str = "video{video_id}.mp4"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"id": 158581, "pred": "sit"}]'})
