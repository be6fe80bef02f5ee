"""LLaVA (Liu et al., "Visual Instruction Tuning", arXiv 2304.08485)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import GROUNDED
from vistune.recipe import Recipe, Stage


def llava(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "conversations:blip_laion_cc_sbu_558k.json?images=images",
    instructions: str = "conversations:llava_instruct_150k.json?images=coco/train2017",
) -> Recipe:
    """CLIP's last layer but one, one linear layer, Vicuna.

    Stage 1 teaches the linear layer alone on captions (section 4.2: 1 epoch, lr 2e-3, batch 128); stage 2 the linear layer and
    the language model on conversations (3 epochs, lr 2e-5, batch 32). The encoder stays frozen throughout.
    """
    return Recipe(
        name="llava",
        paper="arXiv 2304.08485",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "crop"},
            connector="linear",
            llm=llm,
            template="vicuna_v1",
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector": 2e-3}, template="plain", batch=128),
            Stage(name="tune", data=instructions, train={"connector": 2e-5, "llm": 2e-5}, batch=32, epochs=3),
        ),
        deviations=(
            "Vicuna 1.5 and its template instead of Vicuna 0, whose weights were published as differences only",
            "the 558 k caption set of LLaVA-1.5 instead of the 595 k one, with the same role",
        ),
        published={"scienceqa": 90.92},
        nano=GROUNDED,
    )
