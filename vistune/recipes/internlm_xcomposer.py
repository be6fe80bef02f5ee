"""InternLM-XComposer (Zhang et al., "... for Advanced Text-image Comprehension and Composition", arXiv 2309.15112)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def internlm_xcomposer(
    vision: str = "Salesforce/blip2-opt-2.7b",
    llm: str = "internlm/internlm-7b",
    captions: str = "catalogue:llava_pretrain_558k?path=data/llava_pretrain",
    instructions: str = "catalogue:llava_mix_665k?path=data/llava",
) -> Recipe:
    """EVA ViT-g, a Q-Former of 64 queries between two frozen vectors, InternLM with LoRA on all linear layers.

    Stage 1: sampler and language model on captions and text (section 3.2); stage 2: sampler and LoRA on tasks and instructions
    (the released fine-tuning: rank 64, alpha 64). Encoder and flags stay frozen.
    """
    return Recipe(
        name="internlm_xcomposer",
        paper="arXiv 2309.15112",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
            connector={"kind": "bracket", "inner": {"kind": "q_former", "queries": 64, "norm_eps": 1e-5}},
            llm=llm,
            template={
                "kind": "internlm",
                "user_prefix": " <|User|>:",
                "user_suffix": " <TOKENS_UNUSED_0>",
                "assistant_prefix": " <|Bot|>:",
                "answer_suffix": "<TOKENS_UNUSED_1>",
                "closing": " {eos}",
                "media_first": True,
            },
            adapt={"llm": {"kind": "lora", "rank": 64, "alpha": 64, "dropout": 0.05}},
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector.inner": 1e-4, "llm": 1e-5}, batch=4096),
            Stage(name="tune", data=instructions, train={"connector.inner": 5e-5, "llm.adapter": 5e-5}, batch=256),
        ),
        deviations=(
            "captions of 558 k pictures, not 1.1 G; rates of stage 1 are ours, since the paper gives those of its own hardware",
            "composition, which asks this model for places and captions, is a program's",
        ),
        published={"mme": 1919.5, "mmbench": 74.4, "seed": 66.9},
        nano={
            "model.connector.inner": {"kind": "q_former", "queries": 24, "hidden": 128, "layers": 3, "heads": 4},
            "model.adapt.llm.rank": 16,
            "model.adapt.llm.alpha": 16,
        },
    )
