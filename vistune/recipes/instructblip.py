"""InstructBLIP (Dai et al., "Towards General-purpose Vision-Language Models with Instruction Tuning", arXiv 2305.06500)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def instructblip(
    vision: str = "Salesforce/blip2-opt-2.7b",
    llm: str = "lmsys/vicuna-7b-v1.5",
    words: str = "google-bert/bert-base-uncased",
    captions: str = "captions:coco/annotations/captions_train2017.json?images=coco/train2017",
    instructions: str = "conversations:llava_v1_5_mix665k.json?images=data",
) -> Recipe:
    """A Q-Former of 32 queries that reads the picture and the instruction; encoder and language model stay frozen.

    Stage 1 stands for BLIP-2's pre-training, stage 2 is instruction tuning (section 2.6: lr 1e-5, batch 128, 60,000 steps).
    Prompts have no roles: picture, instruction, answer. The encoder is EVA ViT-g, taken out of BLIP-2's directory.
    """
    return Recipe(
        name="instructblip",
        paper="arXiv 2305.06500",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
            connector={"kind": "q_former", "queries": 32, "tokenizer": words},
            llm=llm,
            template={
                "kind": "plain",
                "begin": "",
                "question_text": True,
                "media_first": True,
                "media_suffix": "{bos}",
                "answer_prefix": " ",
                "answer_suffix": "{eos}",
            },
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector": 1e-4}, template="plain", batch=256),
            Stage(name="tune", data=instructions, train={"connector": 1e-5}, batch=128, steps=60_000, weight_decay=0.05),
        ),
        deviations=(
            "a Q-Former from random weights instead of BLIP-2's, taught on 129 M pictures",
            "one mixture instead of 13 data sets sampled by the square root of their size",
        ),
        published={"nocaps": 123.1, "gqa": 49.2},
        nano={
            "model.connector": {
                "kind": "q_former",
                "queries": 24,
                "hidden": 128,
                "layers": 3,
                "heads": 4,
                "tokenizer": "builtin:language",
            },
        },
    )
