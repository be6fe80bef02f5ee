"""LLaVA-Med (Li et al., "Training a Large Language-and-Vision Assistant for Biomedicine in One Day", arXiv 2306.00890)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe
from vistune.recipes.llava import llava


def llava_med(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "conversations:llava_med_alignment_500k.json?images=data/llava_med",
    instructions: str = "catalogue:llava_med?path=data/llava_med&part=llava_med_instruct_60k_inline_mention",
) -> Recipe:
    """LLaVA that goes on to biomedical pictures: their words first, then conversations (section 4).

    Stage 1: the linear layer alone on 500K captions of PMC (1 epoch, lr 2e-3, batch 128); stage 2: the linear layer and the
    language model on 60K conversations with the article's mentions (3 epochs, lr 2e-5, batch 128).
    """
    base = llava(vision, llm, captions, instructions)
    return replace(
        base,
        name="llava_med",
        paper="arXiv 2306.00890",
        stages=(base.stages[0], replace(base.stages[1], batch=128)),
        deviations=(
            "begins as Vicuna 1.5 with a random linear layer, not as LLaVA's weights; tuning on a benchmark is one more run",
        ),
        published={"vqa_rad_closed": 84.2, "vqa_rad_open": 61.5},
    )
