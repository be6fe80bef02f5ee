"""SEED-Bench-2: the levels up to interleaved images and text (Li et al., CVPR 2024), in SEED-Bench's layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vistune.evals.benchmarks.seed_bench import SeedBench


@dataclass(frozen=True)
class SeedBench2(SeedBench):
    """24,371 questions in 27 dimensions; a question may show several images. The ones that generate images are not in it."""

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "SEED-Bench_v2_level1_2_3.json", "images": "SEED-Bench-2-image", "videos": "SEED-Bench-2-video"}
    )
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "a line": '{"question_id": "1_5_3", "prediction": "A"}',
            "LLaVA's answers.jsonl": '{"question_id": "1_5_3", "prompt": "How many towels are in the image?", "text": "A"}',
        }
    )
