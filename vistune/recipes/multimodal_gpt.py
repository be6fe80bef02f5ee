"""MultiModal-GPT (Gong et al., "A Vision and Language Model for Dialogue with Humans", arXiv 2305.04790)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def multimodal_gpt(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "huggyllama/llama-7b",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    visual: str = "catalogue:multimodal_gpt?path=data/multimodal_gpt&part=visual",
    language: str = "catalogue:multimodal_gpt?path=data/multimodal_gpt&part=language",
) -> Recipe:
    """OpenFlamingo frozen, with LoRA (rank 16, alpha 16) on attention and on the inserted cross-attention and its networks.

    Stage 1 stands for OpenFlamingo's weights, stage 2 tunes LoRA on instructions with and without pictures, as many of either
    (section 3.3: lr 1e-5; about 166,000 have pictures). The released flags let a token see the picture behind it, hence `next`.
    """
    instructions = {
        "kind": "mixture",
        "sources": [{"data": visual}, {"data": language}],
        "sampling": "weights",
        "size": 332_000,
    }
    rank = {"kind": "lora", "rank": 16, "alpha": 16}
    return Recipe(
        name="multimodal_gpt",
        paper="arXiv 2305.04790",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "resize"},
            connector={"kind": "perceiver_resampler", "latents": 64, "depth": 6},
            fusion={"kind": "gated_cross_attention", "every": 4, "sees": "next"},
            llm=llm,
            template={"kind": "alpaca", "media_prefix": "### Image:\n", "media_suffix": "\n\n", "media_first": True},
            adapt={
                "llm": {**rank, "targets": ["q_proj", "k_proj", "v_proj", "o_proj"]},
                "fusion": {**rank, "targets": ["query", "key_and_value", "out", "1", "3"]},
            },
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector": 1e-4, "fusion": 1e-4}, batch=128),
            Stage(name="tune", data=instructions, train={"llm.adapter": 1e-5, "fusion.adapter": 1e-5}, batch=16),
        ),
        deviations=(
            "stage 1 stands for OpenFlamingo-9B's weights, and trains LoRA's beside them",
            "instructions with and without pictures are mixed in a step, not given a batch each; the rate is ours",
        ),
        nano={
            "model.connector": {"kind": "perceiver_resampler", "latents": 16, "depth": 2, "heads": 4, "head_width": 32},
            "model.fusion": {"kind": "gated_cross_attention", "every": 2, "heads": 4, "head_width": 32, "sees": "next"},
        },
    )
