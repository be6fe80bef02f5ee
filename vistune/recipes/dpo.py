"""Preference tuning of a vision-language model (Rafailov et al., arXiv 2305.18290; on pictures: RLHF-V, arXiv 2312.00849)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def dpo(
    vision: str = "openai/clip-vit-large-patch14-336",
    llm: str = "lmsys/vicuna-7b-v1.5",
    pairs: str = "preferences:RLAIF-V-Dataset.parquet",
    beta: float = 0.1,
) -> Recipe:
    """LLaVA-1.5, or with `--from` any checkpoint, that learns to prefer one of two answers, by adapters on its language model.

    The reference is the model with its adapters switched off. Picture, prompt and history of a pair are read once for both
    answers. With `stages.prefer.preference.losses` of `{sigmoid: 1, image: 1, anchor: 1}` it is mDPO, with
    `{odds_ratio: 1, sft: 1}` ORPO.
    """
    return Recipe(
        name="dpo",
        paper="arXiv 2305.18290",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "pad"},
            connector={"kind": "mlp", "depth": 2},
            llm=llm,
            template="vicuna_v1",
            adapt={"llm": {"kind": "lora", "rank": 64, "alpha": 128}},
        ),
        stages=(
            Stage(
                name="prefer",
                data=pairs,
                train={"llm.adapter": 5e-6},
                batch=32,
                warmup=0.05,
                preference={"losses": {"sigmoid": 1.0}, "beta": beta, "reference": "adapters"},
            ),
        ),
        deviations=("RLAIF-V tunes all of the language model; here adapters learn, so that no second copy of it is held.",),
        nano={
            "stages.0.data": "world:?task=existence_adversarial&pairs=true&size=400",
            "stages.0.batch": 8,
            "stages.0.train": {"llm.adapter": 5e-4},
        },
    )
