"""ChatSpot (Zhao et al., "Bootstrapping Multimodal LLMs via Precise Referring Instruction Tuning", arXiv 2307.09474)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import GROUNDED
from vistune.recipe import Recipe, Stage


def chatspot(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-7b-v1.1",
    captions: str = "conversations:blip_laion_cc_sbu_558k.json?images=images",
    instructions: str = "catalogue:mgvlid?path=data/mgvlid",
) -> Recipe:
    """Points and boxes as coordinates in the question; answers of many grains (section 3).

    Stage 1 teaches the connector alone, stage 2 connector and language model on MGVLID.
    """
    return Recipe(
        name="chatspot",
        paper="arXiv 2307.09474",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "pad"},
            connector="linear",
            llm=llm,
            codec={"kind": "decimals", "places": 3},
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector": 2e-3}, template="plain", batch=128),
            Stage(name="tune", data=instructions, train={"connector": 2e-5, "llm": 2e-5}, batch=128),
        ),
        deviations=(
            "no training code is public: coordinates are laid out as Shikra's, rates and batches are LLaVA's",
            "MGVLID is not released: public sets of the kinds that it joins, in their own proportions",
        ),
        nano=GROUNDED,
    )
