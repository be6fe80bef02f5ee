"""VPG-C (Li et al., "Fine-tuning Multimodal LLMs to Follow Zero-shot Demonstrative Instructions", arXiv 2308.04152)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe, Stage
from vistune.recipes.minigpt_4 import minigpt_4


def vpg_c(
    vision: str = "Salesforce/blip2-opt-2.7b",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    differences: str = "conversations:edited_pairs.json?images=data/edited_pairs",
) -> Recipe:
    """MiniGPT-4's network, all of it frozen, whose pictures are looked at again half-way through the language model.

    After an alignment as MiniGPT-4's, the injection alone learns: two linear layers and its queries (section 3.1), on pairs of
    pictures of which one was edited (section 3.2).
    """
    base = minigpt_4(vision, llm, captions).override({"model.fusion": {"kind": "mid_layer_injection"}})
    return replace(
        base,
        name="vpg_c",
        paper="arXiv 2308.04152",
        stages=(base.stages[0], Stage(name="complete", data=differences, train={"fusion": 1e-4}, batch=24)),
        deviations=(
            *base.deviations,
            "the edited pairs are to be made first; rate and length of the last stage are ours",
        ),
        published={"demon_dialogue": 37.5, "demon_storytelling": 25.2, "demon_knowledge_qa": 48.6},
        nano={**base.nano, "stages.1.train": {"fusion": 1.5e-3}},
    )
