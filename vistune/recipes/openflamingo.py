"""OpenFlamingo (Awadalla et al., "An Open-Source Framework for Training Large Autoregressive ...", arXiv 2308.01390)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def openflamingo(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "huggyllama/llama-7b",
    documents: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
) -> Recipe:
    """Flamingo's network in the open: a perceiver resampler, gated cross-attention at every fourth layer.

    One stage trains resampler, gated layers and embeddings on captions and documents that hold pictures (section 3: constant lr
    1e-4 behind a warm-up). A token sees the latest picture before it.
    """
    trained = ("connector", "fusion", "llm.*embed_tokens*")
    return Recipe(
        name="openflamingo",
        paper="arXiv 2308.01390",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "resize"},
            connector={"kind": "perceiver_resampler", "latents": 64, "depth": 6},
            fusion={"kind": "gated_cross_attention", "every": 4, "sees": "latest"},
            llm=llm,
            template={"kind": "plain", "begin": "{bos}", "question_text": True, "answer_suffix": "<|endofchunk|>{eos}"},
        ),
        stages=(Stage(name="pretrain", data=documents, train=dict.fromkeys(trained, 1e-4), batch=1152, weight_decay=0.1),),
        deviations=(
            "captions of 595 k pictures, not LAION-2B and MMC4; cosine, not a constant rate",
            "a linear layer brings the resampler's output to the language model's width; the mark is no new token",
        ),
        published={"coco_cider_zero_shot": 79.5},
        nano={
            "model.connector": {"kind": "perceiver_resampler", "latents": 16, "depth": 2, "heads": 4, "head_width": 32},
            "model.fusion": {"kind": "gated_cross_attention", "every": 2, "heads": 4, "head_width": 32},
        },
    )
