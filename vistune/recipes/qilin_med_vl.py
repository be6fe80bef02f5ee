"""Qilin-Med-VL (Liu et al., "Towards Chinese Large Vision-Language Model for General Healthcare", arXiv 2310.17956)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe
from vistune.recipes.llava_1_5 import llava_1_5


def qilin_med_vl(
    vision: str = "openai/clip-vit-large-patch14-336",
    llm: str = "FlagAlpha/Llama2-Chinese-13b-Chat",
    captions: str = "catalogue:chimed_vl?path=data/chimed_vl&part=ChiMed-VL-Alignment",
    instructions: str = "catalogue:chimed_vl?path=data/chimed_vl&part=ChiMed-VL-Instruction",
) -> Recipe:
    """LLaVA-1.5's network and stages with a Chinese language model, on medical pictures (580K, then 469K samples)."""
    base = llava_1_5(vision, llm, captions, instructions).override({"model.template": {"kind": "vicuna_v1", "system": ""}})
    return replace(
        base,
        name="qilin_med_vl",
        paper="arXiv 2310.17956",
        deviations=("no benchmark is published, so that there is no headline number",),
        published={},
    )
