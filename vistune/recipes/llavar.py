"""LLaVAR (Zhang et al., "LLaVAR: Enhanced Visual Instruction Tuning for Text-Rich Image Understanding", arXiv 2306.17107)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe
from vistune.recipes.llava import llava


def llavar(
    vision: str = "openai/clip-vit-large-patch14-336",
    llm: str = "lmsys/vicuna-13b-v1.5",
    captions: str = "conversations:chat_llavar.json?images=data/llavar",
    instructions: str = "catalogue:llavar?path=data/llavar&part=llava_instruct_150k_llavar_16k",
) -> Recipe:
    """LLaVA at 336 pixels with pictures full of text in both stages.

    Stage 1: LLaVA's captions and 422K pictures whose words OCR has read (section 4: lr 2e-3, batch 128); stage 2: LLaVA's 158K
    conversations and 16K that GPT-4 wrote about such pictures (lr 2e-5, batch 32, 3 epochs). The encoder stays frozen.
    """
    base = llava(vision, llm, captions, instructions)
    return replace(
        base,
        name="llavar",
        paper="arXiv 2306.17107",
        deviations=("Vicuna 1.5 instead of Vicuna 0; no begin and end token around a picture",),
        published={"mme_ocr": 80.0},
    )
