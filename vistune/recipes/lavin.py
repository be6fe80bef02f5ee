"""LaVIN (Luo et al., "Cheap and Quick: Efficient Vision-Language Instruction Tuning ...", arXiv 2305.15023)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def lavin(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "huggyllama/llama-7b",
    questions: str = "catalogue:scienceqa?path=data/scienceqa",
) -> Recipe:
    """Class tokens of six layers of CLIP through a bottleneck, and adapters routed by whether a sample has a picture.

    One stage trains bottleneck and adapters alone (section 4.2: 20 epochs, batch 32, lr 9e-3 in the code, weight decay 0.02).
    """
    return Recipe(
        name="lavin",
        paper="arXiv 2305.15023",
        model=ModelSpec(
            vision={
                "kind": "routed",
                "inner": {"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep"}
                | {"fit": "resize", "keep": [4, 8, 12, 16, 20, 24]},
            },
            connector={"kind": "class_taps", "taps": [4, 8, 12, 16, 20, 24], "hidden": 128},
            fusion={"kind": "routed_adapters", "hidden": 8},
            llm=llm,
            template={
                "kind": "plain",
                "question_text": True,
                "media_first": True,
                "media_prefix": "Image: ",
                "user_suffix": "\nResponse:",
                "answer_prefix": " ",
                "answer_suffix": "{eos}",
            },
        ),
        stages=(
            Stage(
                name="tune",
                data=questions,
                train={"vision.adapters": 9e-3, "connector": 9e-3, "fusion": 9e-3},
                batch=32,
                epochs=20,
                weight_decay=0.02,
            ),
        ),
        deviations=(
            "the encoder's adapters route each picture by its own tokens; the released code routes all by the batch's first",
            "a question without a picture is not told so in words",
        ),
        published={"scienceqa": 89.41},
        nano={
            "model.vision.inner.keep": [1, 2, 3, 4, 5, 6],
            "model.connector": {"kind": "class_taps", "taps": [1, 2, 3, 4, 5, 6], "hidden": 64},
        },
    )
