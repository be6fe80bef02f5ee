"""BLIVA (Hu et al., "A Simple Multimodal LLM for Better Handling of Text-Rich Visual Questions", arXiv 2308.09936)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def bliva(
    vision: str = "Salesforce/blip2-opt-2.7b",
    llm: str = "lmsys/vicuna-7b-v1.5",
    words: str = "google-bert/bert-base-uncased",
    captions: str = "catalogue:llava_pretrain_558k?path=data/llava_pretrain",
    instructions: str = "catalogue:llava_mix_665k?path=data/llava",
) -> Recipe:
    """InstructBLIP's 32 queries, and behind them the 256 patches of the last layer but one through a linear layer.

    Stage 1: the patches' layer alone (section 3.3); stage 2: the Q-Former, too (batch 24, 200,000 steps, lr 1e-5).
    """
    former = {"kind": "q_former", "queries": 32, "tokenizer": words, "norm_eps": 1e-5}
    return Recipe(
        name="bliva",
        paper="arXiv 2308.09936",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize", "keep": [-2]},
            connector={
                "kind": "parallel",
                "branches": {"queries": former, "patches": {"kind": "tap", "layer": -2, "drop": 1}},
            },
            llm=llm,
            template={
                "kind": "plain",
                "begin": "",
                "question_text": True,
                "media_first": True,
                "media_suffix": "{bos}",
                "answer_prefix": " ",
                "answer_suffix": "{eos}",
            },
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector.branches.patches": 1e-3}, batch=256),
            Stage(name="tune", data=instructions, train={"connector": 1e-5}, batch=24, steps=200_000, weight_decay=0.05),
        ),
        deviations=(
            "a Q-Former from random weights instead of InstructBLIP's, present in stage 1, where the paper leaves it out",
            "one mixture instead of InstructBLIP's data sets at fixed ratios",
        ),
        published={"ocr_vqa": 65.38, "vsr": 62.2, "textvqa": 42.18},
        nano={
            "model.connector.branches.queries": {"kind": "q_former", "queries": 24, "hidden": 128, "layers": 3, "heads": 4}
            | {"tokenizer": "builtin:language"}
        },
    )
