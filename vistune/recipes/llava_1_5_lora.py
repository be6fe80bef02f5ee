"""LLaVA-1.5 with LoRA (Liu et al., "Improved Baselines with Visual Instruction Tuning", arXiv 2310.03744; released script)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe
from vistune.recipes.llava_1_5 import llava_1_5


def llava_1_5_lora(
    vision: str = "openai/clip-vit-large-patch14-336",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "catalogue:llava_pretrain_558k?path=data/llava_pretrain",
    instructions: str = "catalogue:llava_mix_665k?path=data/llava",
) -> Recipe:
    """LLaVA-1.5 whose second stage trains low-rank updates of the language model (rank 128, alpha 256, lr 2e-4; MLP 2e-5)."""
    base = llava_1_5(vision, llm, captions, instructions)
    return replace(
        base,
        name="llava_1_5_lora",
        paper="arXiv 2310.03744",
        model=replace(base.model, adapt={"llm": {"kind": "lora", "rank": 128, "alpha": 256, "dropout": 0.05}}),
        stages=(base.stages[0], replace(base.stages[1], train={"connector": 2e-5, "llm.adapter": 2e-4})),
        published={"vqav2": 79.1, "gqa": 63.0, "textvqa": 58.2, "pope": 86.4, "mmbench": 66.1},
        nano={"model.adapt.llm.rank": 16, "model.adapt.llm.alpha": 32},
    )
