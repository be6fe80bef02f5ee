"""Clever Flamingo (Chen et al., "Visual Instruction Tuning with Polite Flamingo", arXiv 2307.01003)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe, Stage
from vistune.recipes.openflamingo import openflamingo


def clever_flamingo(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "huggyllama/llama-7b",
    text: str = "catalogue:alpaca?path=data/alpaca",
    instructions: str = "catalogue:pf_1m?path=data/pf_1m",
) -> Recipe:
    """OpenFlamingo taught in a U: the language model's LoRA, then what sees, then LoRA again at a low rate (section 4.2).

    Stage 1: text and rewritten answers; stage 2: resampler and gated layers on a large visual mixture; stage 3: LoRA restores
    the manner of answering.
    """
    base = openflamingo(vision, llm).override(
        {
            "model.adapt": {"llm": {"kind": "lora", "rank": 64, "alpha": 16, "dropout": 0.05}},
            "model.template.user_prefix": "\n### Human: ",
            "model.template.user_suffix": "\n### Assistant: ",
        }
    )
    return replace(
        base,
        name="clever_flamingo",
        paper="arXiv 2307.01003",
        stages=(
            Stage(name="speak", data=text, train={"llm.adapter": 1e-4}, batch=64),
            Stage(name="see", data=instructions, train={"connector": 1e-4, "fusion": 1e-4}, batch=64),
            Stage(name="polish", data=instructions, train={"llm.adapter": 1e-5}, batch=64),
        ),
        deviations=(
            "begins as CLIP and LLaMA, not as OpenFlamingo-9B's weights; LoRA without four bits; rates and batches are ours",
            "Polite Flamingo, which rewrites answers, is trained as a text model with its own data",
        ),
        published={},
        nano={**base.nano, "model.adapt.llm.rank": 16},
    )
