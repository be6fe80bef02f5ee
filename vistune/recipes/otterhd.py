"""OtterHD (Li et al., "OtterHD: A High-Resolution Multi-modality Model", arXiv 2311.04219), which is Fuyu tuned further."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def otterhd(
    llm: str = "adept/persimmon-8b-chat",
    instructions: str = "catalogue:llava_mix_665k?path=data/llava",
) -> Recipe:
    """No encoder: raw patches of 30 pixels through one linear layer, a token behind every row, all of Persimmon tuned.

    One stage (section 3.2: batch 64, lr 1e-5, 3 epochs), pictures at their own size up to the canvas. The picture stands before
    the begin token, and the answer behind Fuyu's mark.
    """
    return Recipe(
        name="otterhd",
        paper="arXiv 2311.04219",
        model=ModelSpec(
            vision={"kind": "native_patches", "patch": 30, "height": 1080, "width": 1920},
            connector="row_ends",
            llm=llm,
            template={
                "kind": "plain",
                "begin": "",
                "question_text": True,
                "media_first": True,
                "media_suffix": "{bos}User:",
                "user_suffix": " Assistant:",
                "assistant_prefix": "\x04",
                "answer_prefix": " ",
                "answer_suffix": "{eos}",
            },
            max_length=8192,
        ),
        stages=(Stage(name="tune", data=instructions, train={"connector": 1e-5, "llm": 1e-5}, batch=64, epochs=3),),
        deviations=(
            "begins as Persimmon with a random linear layer until Fuyu's weights are read into it",
            "pictures keep their size; the paper draws a side between 418 and 1,024 pixels each time",
        ),
        published={"magnifier_bench": 65.5},
        nano={"model.vision": {"kind": "native_patches", "patch": 8, "height": 64, "width": 64}},
    )
