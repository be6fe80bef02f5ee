"""mPLUG-PaperOwl (Hu et al., "Scientific Diagram Analysis with the Multimodal Large Language Model", arXiv 2311.18248)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe, Stage
from vistune.recipes.mplug_docowl import mplug_docowl


def mplug_paperowl(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "huggyllama/llama-7b",
    diagrams: str = "conversations:m_paper.json?images=data/m_paper",
) -> Recipe:
    """mPLUG-DocOwl that sees a diagram whole and in four crops, each told its place behind the abstractor; 325 tokens.

    Abstractor and LoRA learn (section 5.1: 10 epochs at batch 256, lr 1e-4) on captions, analyses and outlines.
    """
    base = mplug_docowl(vision, llm).override(
        {
            "model.vision": {
                "kind": "anchors",
                "inner": {"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
                "grids": [[2, 2]],
            },
            "model.connector": {"kind": "anchored_abstractor", "queries": 64, "depth": 6, "heads": 16, "whole": 2},
            "model.max_length": 4096,
        }
    )
    sizes = {"queries": 24, "depth": 2, "heads": 4, "hidden": 256, "whole": 2}
    return replace(
        base,
        name="mplug_paperowl",
        paper="arXiv 2311.18248",
        stages=(Stage(name="tune", data=diagrams, train={"connector": 1e-4, "llm.adapter": 1e-4}, batch=256, epochs=10),),
        deviations=(
            "begins as CLIP and LLaMA, not as mPLUG-DocOwl's weights",
            "M-Paper is to be written as conversations first",
        ),
        published={},
        nano={"model.connector": {"kind": "anchored_abstractor", **sizes}},
    )
