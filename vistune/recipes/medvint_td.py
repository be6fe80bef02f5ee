"""MedVInT-TD (Zhang et al., "PMC-VQA: Visual Instruction Tuning for Medical Visual Question Answering", arXiv 2305.10415)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def medvint_td(
    vision: str = "openai/clip-vit-base-patch32",
    llm: str = "chaoyi-wu/PMC_LLAMA_7B",
    questions: str = "conversations:pmc_vqa.json?images=data/pmc_vqa",
) -> Recipe:
    """A picture of 512 pixels, 32 queries decoded from it as DETR's, in front of a LLaMA that is taught medicine, with LoRA.

    One stage trains encoder, decoder and LoRA (rank 8, alpha 32) on questions written open, with choices, or as captions
    (section 4.1; lr 2e-5). The picture stands before the begin token.
    """
    return Recipe(
        name="medvint_td",
        paper="arXiv 2305.10415",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "resize", "size": 512},
            connector={"kind": "query_decoder", "queries": 32, "depth": 12, "heads": 12, "hidden": 1024},
            llm=llm,
            template={
                "kind": "plain",
                "begin": "",
                "question_text": True,
                "media_first": True,
                "media_suffix": "{bos}Question: ",
                "user_suffix": "The Answer is:",
                "answer_suffix": "{eos}",
            },
            adapt={"llm": {"kind": "lora", "rank": 8, "alpha": 32, "dropout": 0.1, "targets": ["q_proj", "v_proj"]}},
        ),
        stages=(
            Stage(
                name="tune",
                data=questions,
                train={"vision": 2e-5, "connector": 2e-5, "llm.adapter": 2e-5},
                batch=128,
                epochs=5,
            ),
        ),
        deviations=("CLIP's tower, one of the paper's two, not PMC-CLIP's ResNet",),
        published={"pmc_vqa_choice": 42.3},
        nano={
            "model.vision.size": None,
            "model.connector": {"kind": "query_decoder", "queries": 24, "depth": 2, "heads": 4, "hidden": 256},
        },
    )
