"""DetGPT's model (Pi et al., "DetGPT: Detect What You Need via Reasoning", arXiv 2305.14167)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe
from vistune.recipes.minigpt_4 import minigpt_4

TASK = (
    "Look at the picture and say what in it would serve the user's wish. Describe the picture, reason step by step, and end "
    "with: <Therefore the answer is: [object_names]>"
)


def detgpt(
    vision: str = "Salesforce/blip2-opt-2.7b",
    llm: str = "lmsys/vicuna-13b-v1.5",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    instructions: str = "catalogue:detgpt?path=data/detgpt",
) -> Recipe:
    """MiniGPT-4's network tuned to end its answer with the objects that a wish is about, for a detector to find.

    The linear layer alone learns (the code's second stage: 40 rounds of 200 steps, lr 3e-5 to 1e-5).
    """
    base = minigpt_4(vision, llm, captions, instructions).override({"model.template.system": TASK})
    return replace(
        base,
        name="detgpt",
        paper="arXiv 2305.14167",
        stages=(base.stages[0], replace(base.stages[1], steps=8000)),
        deviations=(*base.deviations, "the system sentence is in our words", "the detector is a program's, `vistune run`"),
    )
