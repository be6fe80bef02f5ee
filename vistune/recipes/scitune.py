"""SciTune (Horawalavithana et al., "... with Human-Curated Scientific Multimodal Instructions", arXiv 2307.01139)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe
from vistune.recipes.llava import llava


def scitune(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "huggyllama/llama-13b",
    captions: str = "conversations:scicap.json?images=data/scicap",
    instructions: str = "conversations:scienceqa_lepa.json?images=data/scienceqa",
) -> Recipe:
    """LLaVA on a language model that was never tuned to talk, with what authors wrote about their figures (section 3).

    Stage 1: figure type, caption, text in the figure and paragraphs that mention it as the answer, the linear layer alone (lr
    2e-3); stage 2: ScienceQA with lecture and explanation, everything but the encoder (lr 2e-5).
    """
    base = llava(vision, llm, captions, instructions)
    return replace(
        base,
        name="scitune",
        paper="arXiv 2307.01139",
        published={"scienceqa": 90.03},
        deviations=("stage 1's figures are to be written as conversations first",),
    )
