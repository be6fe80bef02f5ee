"""SVIT (Zhao et al., "SVIT: Scaling up Visual Instruction Tuning", arXiv 2307.04087)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe
from vistune.recipes.llava_1_5 import llava_1_5


def svit(
    vision: str = "openai/clip-vit-large-patch14-336",
    llm: str = "lmsys/vicuna-13b-v1.5",
    captions: str = "catalogue:llava_pretrain_558k?path=data/llava_pretrain",
    instructions: str = "catalogue:svit?path=data/svit&part=SVIT_core_150K",
) -> Recipe:
    """LLaVA-1.5's network and stages on another mixture: SVIT-mix-665K (section 5: lr and batch as LLaVA-1.5).

    Its 23K detailed descriptions, 57K conversations and 77K reasonings replace those that LLaVA made of captions and boxes.
    """
    base = llava_1_5(vision, llm, captions, instructions)
    return replace(
        base,
        name="svit",
        paper="arXiv 2307.04087",
        deviations=("all of SVIT in place of the mixture SVIT-mix-665K, whose academic tasks are LLaVA-1.5's",),
        published={"mme_perception": 1565.8, "mmbench": 69.1},
    )
