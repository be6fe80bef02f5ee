"""Otter (Li et al., "Otter: A Multi-Modal Model with In-Context Instruction Tuning", arXiv 2305.03726), on OpenFlamingo."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage
from vistune.recipes._mimic_it import mimic_it


def otter(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "huggyllama/llama-7b",
    captions: str = "captions:coco/annotations/captions_train2017.json?images=coco/train2017",
    instructions: str = "mimic_it",
) -> Recipe:
    """A perceiver resampler and gated cross-attention in front of every fourth layer; encoder and language model stay frozen.

    Stage 1 opens the gates on captions, stage 2 tunes the same parts and the token embeddings on MIMIC-IT (AdamW, lr 1e-5,
    batch 4 on each of 4 GPUs, 3 epochs). Related instructions (`rel_ins_ids`) stand before each one, all their answers taught;
    only answers and their closing marks are supervised. `instructions` is the folder of MIMIC-IT.
    """
    trained = ("connector", "fusion", "llm.*embed_tokens*")
    return Recipe(
        name="otter",
        paper="arXiv 2305.03726",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "resize"},
            connector={"kind": "perceiver_resampler", "latents": 64, "depth": 6},
            fusion={"kind": "gated_cross_attention", "every": 4, "sees": "latest"},
            llm=llm,
            template={
                "kind": "plain",
                "question_text": True,
                "user_prefix": "User:",
                "user_suffix": " ",
                "assistant_prefix": "GPT:<answer>",
                "answer_prefix": " ",
                "answer_suffix": "<|endofchunk|>{eos}",
            },
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector": 1e-4, "fusion": 1e-4}, batch=128),
            Stage(name="tune", data=mimic_it(instructions), train=dict.fromkeys(trained, 1e-5), batch=16, epochs=3),
        ),
        deviations=(
            "stage 1 stands for OpenFlamingo-9B's weights, learned on 2 G pictures, which Otter starts from",
            "a linear layer brings the resampler's output to the language model's width before keys and values are made of it",
            "the picture stands behind 'User:', not in front of it; marks are plain text, not new tokens",
        ),
        published={"mm_vet": 24.7},
        nano={
            "model.connector": {"kind": "perceiver_resampler", "latents": 16, "depth": 2, "heads": 4, "head_width": 32},
            "model.fusion": {"kind": "gated_cross_attention", "every": 2, "heads": 4, "head_width": 32},
        },
    )
