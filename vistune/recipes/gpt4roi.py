"""GPT4RoI (Zhang et al., "Instruction Tuning Large Language Model on Region-of-Interest", arXiv 2307.03601)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def gpt4roi(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-7b-v1.1",
    regions: str = "catalogue:gpt4roi?path=data/gpt4roi&part=stage1",
    conversations: str = "catalogue:gpt4roi?path=data/gpt4roi&part=stage2",
) -> Recipe:
    """A token for a box from four levels of the encoder, in the place of `<bbox>` (section 3.1).

    Stage 1 teaches the region encoder on classes and expressions (released script: 2 epochs, lr 2e-5, batch 4); stage 2 the
    connector and the language model as well, on captions of regions, conversations and VCR (section 3.2; 2 epochs, batch 16).
    """
    return Recipe(
        name="gpt4roi",
        paper="arXiv 2307.03601",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "resize", "keep": [-11, -8, -5, -2]},
            connector="linear",
            llm=llm,
            parts={"roi": {"kind": "multi_level_roi", "layers": [-11, -8, -5, -2]}},
            modalities={"box": {"chain": ["roi"], "before": "region{n} "}},
        ),
        stages=(
            Stage(name="align", data=regions, train={"roi": 2e-5}, batch=4, epochs=2.0),
            Stage(name="tune", data=conversations, train={"roi": 2e-5, "connector": 2e-5, "llm": 2e-5}, batch=16, epochs=2.0),
        ),
        deviations=("the connector is LLaVA's, imported; LLaVA's conversations come without a detector's boxes",),
        published={"vcr_q_to_a_13b": 81.6},
        nano={
            "model.vision": {"kind": "huggingface", "path": "builtin:clip", "layer": -2, "fit": "resize", "keep": [2, 3, 4, 5]},
            "model.parts.roi": {"kind": "multi_level_roi", "layers": [2, 3, 4, 5], "rounds": 2, "size": 4, "middle": 128},
            "stages.0.data": "world:?task=describe_region&size=2400",
            "stages.0.train.connector": 1.5e-3,
        },
    )
