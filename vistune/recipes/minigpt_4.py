"""MiniGPT-4 (Zhu et al., "Enhancing Vision-Language Understanding with Advanced Large Language Models", arXiv 2304.10592)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def minigpt_4(
    vision: str = "Salesforce/blip2-opt-2.7b",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    instructions: str = "catalogue:minigpt4?path=data/cc_sbu_align",
) -> Recipe:
    """BLIP-2's frozen EVA ViT-g and Q-Former; one linear layer into a frozen Vicuna is all that learns.

    Stage 1: captions (section 3.1: 20,000 steps, batch 256; the code's rate is 1e-4). Stage 2: 3,500 long descriptions that
    its own answers were made into (section 3.3: 400 steps of batch 12; the code's rate is 3e-5).
    """
    return Recipe(
        name="minigpt_4",
        paper="arXiv 2304.10592",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
            connector={"kind": "q_former", "queries": 32, "norm_eps": 1e-5},
            llm=llm,
            template={
                "kind": "minigpt4",
                "begin": "{bos}",
                "system_suffix": "###",
                "user_prefix": "Human: ",
                "user_suffix": "###",
                "assistant_prefix": "Assistant: ",
                "answer_suffix": "###",
            },
        ),
        stages=(
            Stage(
                name="align",
                data=captions,
                train={"connector.proj": 1e-4},
                template={"kind": "plain", "media_prefix": "<Img>", "media_suffix": "</Img>"},
                batch=256,
                steps=20_000,
                weight_decay=0.05,
            ),
            Stage(name="tune", data=instructions, train={"connector.proj": 3e-5}, batch=12, steps=400, weight_decay=0.05),
        ),
        deviations=(
            "the Q-Former begins at random until BLIP-2's is read into it; Vicuna 1.5 instead of Vicuna 0",
            "captions of Conceptual Captions alone, without LAION and SBU",
        ),
        nano={
            "model.connector": {"kind": "q_former", "queries": 24, "hidden": 128, "layers": 3, "heads": 4},
            "stages.0.train": {"connector": 1.5e-3},
            "stages.1.train": {"connector": 1.5e-3},
        },
    )
