"""Honeybee (Cha et al., "Honeybee: Locality-enhanced Projector for Multimodal LLM", arXiv 2312.06742)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def honeybee(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "catalogue:llava_pretrain_558k?path=data/llava_pretrain",
    instructions: str = "catalogue:llava_mix_665k?path=data/llava",
) -> Recipe:
    """A C-Abstractor, convolutions around a pooling, between CLIP at 224 pixels and Vicuna; 144 tokens a picture.

    Stage 1: the abstractor alone (batch 256, lr 1e-4, weight decay 0.01, 2,000 steps of warm-up); stage 2: abstractor and
    language model (batch 128, lr 2e-5, weight decay 1e-4, 150 steps of warm-up). That is the released configuration with the
    paper's long schedule of 200,000 and 10,000 steps; the short one has 50,000 and 4,000.
    """
    return Recipe(
        name="honeybee",
        paper="arXiv 2312.06742",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "pad"},
            connector={"kind": "c_abstractor", "side": 12, "depth": 3, "hidden": 1024, "mlp_depth": 2, "grid": 16},
            llm=llm,
            template="vicuna_v1",
        ),
        stages=(
            Stage(
                name="align",
                data=captions,
                train={"connector": 1e-4},
                template="plain",
                batch=256,
                steps=200_000,
                warmup=0.01,
                weight_decay=0.01,
            ),
            Stage(
                name="tune",
                data=instructions,
                train={"connector": 2e-5, "llm": 2e-5},
                batch=128,
                steps=10_000,
                warmup=0.015,
                weight_decay=1e-4,
            ),
        ),
        deviations=("LLaVA-1.5's data instead of COYO and BLIP-CapFilt, and of its mixture with sampling by data set",),
        published={"mmbench": 70.1, "mme_perception": 1584.2, "seed_image": 64.5},
        nano={"model.connector": {"kind": "c_abstractor", "side": 6, "depth": 1, "hidden": 128, "grid": 8}},
    )
