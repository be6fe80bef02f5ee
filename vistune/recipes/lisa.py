"""LISA (Lai et al., "Reasoning Segmentation via Large Language Model", arXiv 2308.00692)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def lisa(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-7b-v1.3",
    segmenter: str = "facebook/sam-vit-huge",
    data: str = "mixture:lisa.yaml",
) -> Recipe:
    """LLaVA that says `[SEG]`, and SAM that turns the state which predicts it into a mask (section 3.2).

    One stage from LLaVA's weights (section 4.1: lr 3e-4, batch 160, 10 x 500 steps, 100 of them warm-up): LoRA of rank 8 on
    queries and values, the projection and the mask decoder. `data` mixes segmentation by class and by expression, questions
    and reasoning segmentation 9 : 3 : 3 : 1.
    """
    return Recipe(
        name="lisa",
        paper="arXiv 2308.00692",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "crop"},
            connector="linear",
            llm=llm,
            heads={"mask": {"kind": "promptable_mask", "path": segmenter}},
            adapt={
                "llm": {
                    "kind": "lora",
                    "rank": 8,
                    "alpha": 16,
                    "dropout": 0.05,
                    "targets": ["q_proj", "v_proj"],
                    "new_tokens": True,
                }
            },
        ),
        stages=(
            Stage(
                name="tune",
                data=data,
                train={"llm.adapter": 3e-4, "heads.mask.project": 3e-4, "heads.mask.segmenter.decoder": 3e-4},
                batch=160,
                steps=5000,
                warmup=0.02,
            ),
        ),
        deviations=(
            "of embeddings and output rows only those of the new token learn, where LISA trains all",
            "the connector is LLaVA's, imported: a connector at random needs LLaVA's first stage",
        ),
        published={"reasonseg_val_giou": 52.9, "reasonseg_val_ciou": 54.0, "refcoco_val_ciou": 74.9, "refcocog_val_ciou": 67.9},
        nano={
            "model.heads.mask.path": "builtin:sam",
            "stages.0.data": "world:?task=segment&size=2400",
            "stages.0.train.connector": 1.5e-3,
        },
    )
