"""mPLUG-DocOwl (Ye et al., "Modularized Multimodal Large Language Model for Document Understanding", arXiv 2307.02499)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe, Stage
from vistune.recipes.mplug_owl import mplug_owl


def mplug_docowl(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "huggyllama/llama-7b",
    documents: str = "catalogue:doc_vqa?path=data/doc_vqa",
    instructions: str = "catalogue:llava_instruct_150k?path=data/llava",
) -> Recipe:
    """mPLUG-Owl's network on documents, tables, charts and pages, as questions, facts to find, claims to judge and captions.

    Abstractor and LoRA learn, encoder and language model stay frozen (section 3.3: documents for 10 epochs at batch 256, then 3
    epochs with general instructions; lr 1e-4).
    """
    base = mplug_owl(vision, llm, documents, instructions)
    trained = {"connector": 1e-4, "llm.adapter": 1e-4}
    return replace(
        base,
        name="mplug_docowl",
        paper="arXiv 2307.02499",
        stages=(
            Stage(name="documents", data=documents, train=trained, batch=256, epochs=10),
            Stage(name="general", data=instructions, train=trained, batch=256, epochs=3),
        ),
        deviations=("begins as CLIP and LLaMA, not as mPLUG-Owl's weights", "one data set of documents by default; ten there"),
        published={"docvqa": 62.2, "chartqa": 57.4},
        nano={"model.connector": base.nano["model.connector"]},
    )
