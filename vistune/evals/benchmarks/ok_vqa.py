"""OK-VQA: questions that need knowledge from outside the image (Marino et al., CVPR 2019), in VQA's layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmarks.vqa_v2 import VqaV2


@dataclass(frozen=True)
class OkVqa(VqaV2):
    """VQAv2 with other files: 5,046 questions of version 1.1, ten (stemmed) answers each, scored as VQA."""

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "annotations": "mscoco_val2014_annotations.json",
            "questions": "OpenEnded_mscoco_val2014_questions.json",
            "images": "val2014",
        }
    )
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a list": '[{"question_id": 2971475, "answer": "racing"}]',
            "LLaVA's answers.jsonl": '{"question_id": 2971475, "prompt": "What sport can you use this for?", "text": "racing"}',
        }
    )
