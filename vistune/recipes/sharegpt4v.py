"""ShareGPT4V (Chen et al., "ShareGPT4V: Improving Large Multi-modal Models with Better Captions", arXiv 2311.12793)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe
from vistune.recipes.llava_1_5 import llava_1_5


def sharegpt4v(
    vision: str = "openai/clip-vit-large-patch14-336",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "catalogue:sharegpt4v?path=data/sharegpt4v&part=share-captioner_coco_lcs_sam_1246k_1107",
    instructions: str = "catalogue:sharegpt4v?path=data/sharegpt4v&part=sharegpt4v_instruct_gpt4-vision_cap100k",
    captioner: bool = False,
) -> Recipe:
    """LLaVA-1.5's network, aligned on long captions with the second half of the encoder and the language model learning, too.

    Stage 1: captions of Share-Captioner, encoder from block 12 on, MLP and language model (section 4.2: lr 2e-5, batch 256).
    Stage 2: LLaVA-1.5's mixture with 23K descriptions replaced by GPT-4V's, encoder frozen (lr 2e-5, batch 128). With
    `captioner` it is Share-Captioner instead: captions of GPT-4V alone, one stage.
    """
    base = llava_1_5(vision, llm, captions, instructions)
    return replace(
        base,
        name="sharegpt4v",
        paper="arXiv 2311.12793",
        stages=(replace(base.stages[1], name="caption"),)
        if captioner
        else (
            replace(base.stages[0], train={"vision[12:]": 2e-5, "connector": 2e-5, "llm": 2e-5}),
            base.stages[1],
        ),
        deviations=("the MLP begins at random, not as LLaVA-1.5's", "Share-Captioner is an InternLM-XComposer there"),
        published={"mme": 1567.0, "mmbench": 68.8, "seed_image": 69.7},
        nano={"stages.0.train": {"vision[2:]": 1.5e-3, "connector": 1.5e-3, "llm": 1.5e-3}} if not captioner else {},
    )
