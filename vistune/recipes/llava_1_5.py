"""LLaVA-1.5 (Liu et al., "Improved Baselines with Visual Instruction Tuning", arXiv 2310.03744)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import GROUNDED
from vistune.recipe import Recipe, Stage


def llava_1_5(
    vision: str = "openai/clip-vit-large-patch14-336",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "conversations:blip_laion_cc_sbu_558k.json?images=images",
    instructions: str = "conversations:llava_v1_5_mix665k.json?images=data",
) -> Recipe:
    """CLIP at 336 pixels, pictures padded to squares, a two-layer MLP, Vicuna 1.5.

    Stage 1 teaches the MLP alone on captions (table 9: lr 1e-3, batch 256, 1 epoch); stage 2 the MLP and the language model
    on a mixture of conversations and academic tasks (lr 2e-5, batch 128, 1 epoch). Warm-up 3 %, cosine, no weight decay.
    """
    return Recipe(
        name="llava_1_5",
        paper="arXiv 2310.03744",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "pad"},
            connector={"kind": "mlp", "depth": 2},
            llm=llm,
            template="vicuna_v1",
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector": 1e-3}, template="plain", batch=256),
            Stage(name="tune", data=instructions, train={"connector": 2e-5, "llm": 2e-5}, batch=128),
        ),
        published={"vqav2": 78.5, "gqa": 62.0, "textvqa": 58.2, "pope": 85.9, "mmbench": 64.3},
        nano=GROUNDED,
    )
