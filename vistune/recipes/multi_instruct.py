"""MultiInstruct (Xu et al., "Improving Multi-Modal Zero-Shot Learning via Instruction Tuning", arXiv 2212.10773)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def multi_instruct(
    vision: str = "facebook/dinov2-large",
    llm: str = "google/flan-t5-large",
    instructions: str = "catalogue:multiinstruct?path=data/multi_instruct",
) -> Recipe:
    """An encoder-decoder that reads patches and instruction in its encoder, all of it trained on tasks in five wordings each.

    One stage (section 4.3: 3 epochs, lr 1e-5). Regions are location tokens of a thousand bins, in questions and answers.
    """
    return Recipe(
        name="multi_instruct",
        paper="arXiv 2212.10773",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "resize"},
            connector="linear",
            llm=llm,
            template={
                "kind": "plain",
                "begin": "",
                "question_text": True,
                "media_first": True,
                "user_suffix": "{eos}",
                "answer_suffix": "{eos}",
            },
            codec={"kind": "location_tokens", "bins": 1000},
        ),
        stages=(
            Stage(
                name="tune",
                data=instructions,
                train={"vision": 1e-5, "connector": 1e-5, "llm": 1e-5},
                batch=256,
                epochs=3,
                weight_decay=0.01,
            ),
        ),
        deviations=("FLAN-T5 and a vision transformer instead of OFA, whose picture and text share one vocabulary",),
    )
