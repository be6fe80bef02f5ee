"""PandaGPT (Su et al., "PandaGPT: One Model To Instruction-Follow Them All", arXiv 2305.16355)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import NANO_JOINT, senses
from vistune.recipe import Recipe, Stage


def panda_gpt(
    joint: str | None = "imagebind_huge.pth",
    llm: str = "lmsys/vicuna-13b-v1.5",
    instructions: str = "conversations:pandagpt4_visual_instruction_data.json?images=images",
) -> Recipe:
    """ImageBind's one vector, a linear layer, one token: taught on pictures alone, asked about films and sounds as well.

    One stage (section 2; code: lr 5e-4, batch 64, 2 epochs, weight decay 0.001): the layer and LoRA of rank 32 in all attention
    projections, on 160 k conversations of LLaVA and MiniGPT-4. Clips of a film or sound are averaged, as ImageBind's are.
    """
    chain = ["joint", "clips", "connector"]
    return Recipe(
        name="panda_gpt",
        paper="arXiv 2305.16355",
        model=ModelSpec(
            connector="linear",
            parts={"joint": {"kind": "imagebind", "path": joint}, "clips": "frame_pooling"},
            modalities={"image": chain, "video": chain, "audio": chain},
            llm=llm,
            template="panda_gpt",
            adapt={"llm": {"kind": "lora", "rank": 32, "alpha": 32, "targets": ["q_proj", "k_proj", "v_proj", "o_proj"]}},
            max_length=1024,
        ),
        stages=(
            Stage(
                name="tune",
                data=instructions,
                train={"connector": 5e-4, "llm.adapter": 5e-4},
                batch=64,
                epochs=2.0,
                weight_decay=0.001,
            ),
        ),
        deviations=(
            "no dropout in LoRA; several media of a question stand side by side, where the published code adds their tokens",
            "Vicuna 1.5 instead of 0; thermal pictures, depth and motion are not read",
        ),
        nano={
            **senses(("films", "sounds"), ("joint", "connector", "llm.adapter")),
            "model.parts.joint": NANO_JOINT,
        },
    )
