"""LLaVA-1.6 (Liu et al., "LLaVA-NeXT: Improved reasoning, OCR, and world knowledge", llava-vl.github.io, January 2024)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def llava_1_6(
    vision: str = "openai/clip-vit-large-patch14-336",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "conversations:blip_laion_cc_sbu_558k.json?images=images",
    instructions: str = "conversations:llava_v1_5_mix665k.json?images=data",
) -> Recipe:
    """LLaVA-1.5 that sees large pictures whole and in up to four tiles, with a newline behind every row of patches.

    Stage 1 teaches the MLP alone on captions (lr 1e-3, batch 256); stage 2 everything, the encoder at a tenth of the rate
    (batch 128, lr 2e-5 and 2e-6, 1 epoch).
    """
    return Recipe(
        name="llava_1_6",
        paper="LLaVA-NeXT blog, 2024-01-30",
        model=ModelSpec(
            vision={"kind": "anyres", "inner": {"kind": "huggingface", "path": vision, "layer": -2, "fit": "resize"}},
            connector={"kind": "anyres", "inner": {"kind": "mlp", "depth": 2}},
            llm=llm,
            template="vicuna_v1",
            max_length=4096,
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector": 1e-3}, template="plain", batch=256),
            Stage(name="tune", data=instructions, train={"connector": 2e-5, "llm": 2e-5, "vision": 2e-6}, batch=128),
        ),
        deviations=("the mixture of LLaVA-1.5: the 760 k samples of LLaVA-1.6 are not all public",),
        nano={"model.vision.inner.path": "builtin:clip"},
    )
