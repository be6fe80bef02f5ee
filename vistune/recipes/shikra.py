"""Shikra (Chen et al., "Unleashing Multimodal LLM's Referential Dialogue Magic", arXiv 2306.15195)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import GROUNDED
from vistune.recipe import Recipe, Stage


def shikra(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-7b-v1.1",
    pretraining: str = "mixture:shikra_stage1.yaml",
    dialogues: str = "mixture:shikra_stage2.yaml",
) -> Recipe:
    """Coordinates in plain words, in questions and answers, and nothing else that is new (section 4).

    Both stages teach connector and language model (lr 2e-5, batch 64): stage 1 on reorganised data with boxes,
    stage 2 on Shikra-RD and LLaVA's conversations, half each.
    """
    return Recipe(
        name="shikra",
        paper="arXiv 2306.15195",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "pad"},
            connector="linear",
            llm=llm,
            codec={"kind": "decimals", "places": 3},
        ),
        stages=(
            Stage(name="align", data=pretraining, train={"connector": 2e-5, "llm": 2e-5}, batch=64),
            Stage(name="tune", data=dialogues, train={"connector": 2e-5, "llm": 2e-5}, batch=64),
        ),
        deviations=(
            "pictures are padded with the encoder's mean colour, not with white; each stage is one epoch of its mixture",
        ),
        published={"refcoco_val": 87.0, "refcoco_testa": 90.6, "refcoco_testb": 80.2, "vqav2": 77.4},
        nano={key: value for key, value in GROUNDED.items() if not key.startswith("stages.0.train")},
    )
