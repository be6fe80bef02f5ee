"""LMEye (Li et al., "LMEye: An Interactive Perception Network for Large Language Models", arXiv 2305.03701), v0.1."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def lmeye(
    vision: str = "Salesforce/blip2-flan-t5-xl",
    llm: str = "google/flan-t5-xl",
    text: str = "openai/clip-vit-large-patch14",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    instructions: str = "catalogue:llava_instruct_150k?path=data/llava",
) -> Recipe:
    """BLIP-2 on FLAN-T5 whose encoder reads twice: the first time it asks the picture, the second time it has the answer.

    Stage 1 aligns queries and projection; stage 2 trains what asks and answers, too (section 3.2). Encoder, language model and
    CLIP's text transformer stay frozen.
    """
    asks = ("prompts", "request", "answer")
    trained = {"connector": 1e-4, "fusion.proj": 1e-4, "fusion.mark_*": 1e-4}
    return Recipe(
        name="lmeye",
        paper="arXiv 2305.03701",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
            connector={"kind": "q_former", "queries": 32, "project": False},
            fusion={"kind": "two_pass", "text": text, "width": 768},
            llm=llm,
            template={"kind": "plain", "begin": "", "question_text": True, "user_suffix": "{eos}", "answer_suffix": "{eos}"},
        ),
        stages=(
            Stage(name="align", data=captions, train=trained, batch=256),
            Stage(
                name="interact",
                data=instructions,
                train=trained | {f"fusion.exchange.{name}": 1e-4 for name in asks},
                batch=128,
            ),
        ),
        deviations=(
            "a Q-Former from random weights instead of BLIP-2's; rates and batches are ours",
            "picture, request and answer stand where the picture is shown, in the released code behind the question",
        ),
        nano={
            "model.connector": {"kind": "q_former", "queries": 24, "hidden": 128, "layers": 3, "heads": 4, "project": False},
            "model.fusion": {"kind": "two_pass", "text": "builtin:clip", "width": 128},
        },
    )
