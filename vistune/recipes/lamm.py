"""LAMM on pictures (Yin et al., "LAMM: Language-Assisted Multi-Modal Instruction-Tuning Dataset", arXiv 2306.06687)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import senses
from vistune.recipe import Recipe, Stage

LORA = {"kind": "lora", "rank": 32, "alpha": 32, "targets": ["q_proj", "k_proj", "v_proj", "o_proj"]}
PARTS = ("daily_dialogue_49k", "detailed_description_49k", "factual_knowledge_dialogue_42k", "vision_task_dialogue_46k")


def lamm(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-13b-v1.5",
    instructions: str = "catalogue:lamm?path=data/lamm",
) -> Recipe:
    """CLIP's 256 patches of the last layer, a linear layer, LoRA of rank 32; system messages for each task.

    One stage for each modality's own model (section 4; code: lr 5e-4, batch 64, 2 epochs, weight decay 0.001). The message is
    a sample's system turn.
    """
    return Recipe(
        name="lamm",
        paper="arXiv 2306.06687",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "crop"},
            connector="linear",
            llm=llm,
            template={
                "kind": "panda_gpt",
                "begin": "{bos}",
                "system_suffix": "\n\n",
                "user_prefix": "### Human: ",
                "later_user_prefix": "Human: ",
                "assistant_prefix": "### Assistant:",
            },
            adapt={"llm": LORA},
        ),
        stages=(
            Stage(
                name="tune",
                data={"kind": "mixture", "sources": [{"data": f"{instructions}&part={part}"} for part in PARTS]},
                train={"connector": 5e-4, "llm.adapter": 5e-4},
                batch=64,
                epochs=2.0,
                weight_decay=0.001,
            ),
        ),
        deviations=("no dropout in LoRA; Vicuna 1.5 instead of 0",),
        nano=senses("instructions", ("connector", "llm.adapter")),
    )
