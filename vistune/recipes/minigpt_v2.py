"""MiniGPT-v2 (Chen et al., "Large Language Model As a Unified Interface ...", arXiv 2310.09478)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def minigpt_v2(
    vision: str = "Salesforce/blip2-opt-2.7b",
    llm: str = "meta-llama/Llama-2-7b-chat-hf",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    tasks: str = "catalogue:llava_mix_665k?path=data/llava",
    instructions: str = "catalogue:llava_instruct_150k?path=data/llava",
) -> Recipe:
    """EVA ViT-g at 448 pixels, four patches of a row as one token, LLaMA-2-chat with LoRA; tasks have a name in the prompt.

    Three stages train the same, LoRA (rank 64, alpha 16, on queries and values) and the linear layer: weakly labelled and fine
    data, fine data alone, and with instructions (section 2.3; the code's rate is 1e-5 in the last). Boxes are
    `{<x1><y1><x2><y2>}` in hundredths, a picture `<Img>...</Img>`.
    """
    trained = {"connector": 1e-5, "llm.adapter": 1e-5}
    return Recipe(
        name="minigpt_v2",
        paper="arXiv 2310.09478",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "resize", "size": 448},
            connector={"kind": "token_merge", "merge": 4},
            llm=llm,
            template="minigpt4",
            codec="integers",
            adapt={"llm": {"kind": "lora", "rank": 64, "alpha": 16, "dropout": 0.05, "targets": ["q_proj", "v_proj"]}},
        ),
        stages=(
            Stage(name="weak", data=captions, train=dict.fromkeys(trained, 1e-4), batch=96, steps=400_000, weight_decay=0.05),
            Stage(name="fine", data=tasks, train=trained, batch=64, steps=50_000, weight_decay=0.05),
            Stage(name="instruct", data=instructions, train=trained, batch=24, steps=35_000, weight_decay=0.05),
        ),
        deviations=(
            "one mixture a stage instead of ratios of many data sets",
            "captions of 595 k pictures, not of LAION and SBU",
        ),
        published={"gqa": 60.1, "okvqa": 57.8, "refcoco_val": 88.7},
        nano={"model.vision.size": None, "model.adapt.llm.rank": 16, "model.adapt.llm.alpha": 32},
    )
