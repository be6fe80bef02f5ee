"""Sparkles (Huang et al., "Sparkles: Unlocking Chats Across Multiple Images ...", arXiv 2308.16463)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe
from vistune.recipes.minigpt_4 import minigpt_4


def sparkles(
    vision: str = "Salesforce/blip2-opt-2.7b",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    instructions: str = "catalogue:sparkles_dialogue?path=data/sparkles",
) -> Recipe:
    """MiniGPT-4's network tuned on dialogues about several pictures, each called by name: `IMAGE#2<Img>...</Img>`.

    The linear layer alone learns (section 4.1: from MiniGPT-4's, 5 rounds of 1,000 steps, batch 8, lr 3e-5).
    """
    base = minigpt_4(vision, llm, captions, instructions).override({"model.template.media_prefix": "IMAGE#{n}<Img>"})
    tune = replace(base.stages[1], batch=8, steps=5000, train={"connector.proj": 3e-5})
    return replace(
        base,
        name="sparkles",
        paper="arXiv 2308.16463",
        stages=(base.stages[0], tune),
        deviations=(
            *base.deviations,
            "every answer is supervised; the released code supervises the last alone",
            "a picture's name is written by the template, where the data write it themselves",
        ),
        published={"sparkles_eval": 8.56, "bison": 56.7},
    )
