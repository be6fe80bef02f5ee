"""mPLUG-Owl (Ye et al., "Modularization Empowers Large Language Models with Multimodality", arXiv 2304.14178)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def mplug_owl(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "huggyllama/llama-7b",
    captions: str = "catalogue:llava_pretrain_558k?path=data/llava_pretrain",
    instructions: str = "catalogue:llava_instruct_150k?path=data/llava",
) -> Recipe:
    """An abstractor of 64 queries without positions; the encoder learns with it first, then low-rank updates of LLaMA alone.

    Stage 1: encoder and abstractor on captions (section 4.1: 50,000 steps, lr 1e-4, weight decay 0.1); stage 2: LoRA on queries
    and values (2,000 steps of batch 256, lr 2e-5).
    """
    return Recipe(
        name="mplug_owl",
        paper="arXiv 2304.14178",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
            connector={"kind": "visual_abstractor", "queries": 64, "depth": 6, "heads": 16, "positions": False},
            llm=llm,
            template="mplug_owl",
            adapt={"llm": {"kind": "lora", "rank": 8, "alpha": 32, "dropout": 0.05, "targets": ["q_proj", "v_proj"]}},
        ),
        stages=(
            Stage(
                name="align",
                data=captions,
                train={"vision": 1e-4, "connector": 1e-4},
                batch=1024,
                steps=50_000,
                weight_decay=0.1,
            ),
            Stage(name="tune", data=instructions, train={"llm.adapter": 2e-5}, batch=256, steps=2000),
        ),
        deviations=("captions of 558 k pictures, not of LAION, COYO, Conceptual Captions and COCO; no text-only instructions",),
        nano={
            "model.connector": {"kind": "visual_abstractor", "queries": 24, "depth": 2, "heads": 4, "hidden": 256}
            | {"positions": False},
            "stages.1.train": {"llm.adapter": 1.5e-3, "connector": 1.5e-3},
        },
    )
