"""AnyMAL's pictures (Moon et al., "An Efficient and Scalable Any-Modality Augmented Language Model", arXiv 2309.16058)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def anymal(
    vision: str = "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k",
    llm: str = "meta-llama/Llama-2-13b-chat-hf",
    captions: str = "catalogue:llava_pretrain_558k?path=data/llava_pretrain",
    instructions: str = "catalogue:llava_instruct_150k?path=data/llava",
) -> Recipe:
    """A perceiver resampler gives a frozen LLaMA-2-chat a fixed number of tokens a picture; then LoRA learns beside it.

    Stage 1: the resampler on captions (section 3.1), the language model in four bits where it is large (`model.llm.quantize`);
    stage 2: resampler and LoRA on instructions (section 3.2). There is no official code.
    """
    return Recipe(
        name="anymal",
        paper="arXiv 2309.16058",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "crop"},
            connector={"kind": "perceiver_resampler", "latents": 64, "depth": 6},
            llm=llm,
            template="llava_llama_2",
            adapt={"llm": {"kind": "lora", "rank": 16}},
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector": 2e-4}, template="plain", batch=2048),
            Stage(name="tune", data=instructions, train={"connector": 1e-5, "llm.adapter": 1e-4}, batch=128),
        ),
        deviations=(
            "the network is the paper's text in our words, held by no recording; rates, rank and depth are ours",
            "captions of 558 k pictures, not of 200 M; MM-IT is not public",
        ),
        published={"coco_cider_70b": 95.9},
        nano={"model.connector": {"kind": "perceiver_resampler", "latents": 24, "depth": 2, "heads": 4, "head_width": 32}},
    )
