"""StableLLaVA (Li et al., "Enhanced Visual Instruction Tuning with Synthesized Image-Dialogue Data", arXiv 2308.10253)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe
from vistune.recipes.llava import llava


def stable_llava(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-13b-v1.5",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    instructions: str = "catalogue:stable_llava?path=data/stable_llava",
) -> Recipe:
    """LLaVA tuned on 126K more conversations, whose pictures were drawn from the words that these were written about.

    Stage 1 is LLaVA's; stage 2 has LLaVA's schedule on its data and these (section 4.1: lr 2e-5, batch 32, 3 epochs).
    """
    base = llava(vision, llm, captions, instructions)
    return replace(
        base,
        name="stable_llava",
        paper="arXiv 2308.10253",
        deviations=(
            "Vicuna 1.5 instead of Vicuna 0",
            "LLaVA's own 158K conversations stand beside these there: give a mixture",
        ),
        published={},
    )
