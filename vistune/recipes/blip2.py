"""BLIP-2 (Li et al., "Bootstrapping Language-Image Pre-training with Frozen Image Encoders ...", arXiv 2301.12597)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def blip2(
    vision: str = "Salesforce/blip2-opt-2.7b",
    llm: str = "facebook/opt-2.7b",
    captions: str = "captions:coco/annotations/captions_train2017.json?images=coco/train2017",
    encoder_decoder: bool = False,
) -> Recipe:
    """A Q-Former of 32 queries between a frozen EVA ViT-g and a frozen OPT, or FLAN-T5 with `encoder_decoder`.

    Stage 1 stands for learning representations, stage 2 learns to generate (section 3.4, at ViT-g: batch 1,680 for 250,000
    steps, then 1,920, or 1,520 with FLAN-T5, for 80,000; lr 1e-4, weight decay 0.05). FLAN-T5 reads all in its encoder.
    """
    ends = {"user_suffix": "{eos}"} if encoder_decoder else {"media_suffix": "{bos}", "answer_prefix": " "}
    return Recipe(
        name="blip2",
        paper="arXiv 2301.12597",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
            connector={"kind": "q_former", "queries": 32},
            llm=llm,
            template={
                "kind": "plain",
                "begin": "",
                "question_text": True,
                "media_first": True,
                "answer_suffix": "{eos}",
                **ends,
            },
        ),
        stages=(
            Stage(name="represent", data=captions, train={"connector": 1e-4}, batch=1680, steps=250_000, weight_decay=0.05),
            Stage(
                name="generate",
                data=captions,
                train={"connector": 1e-4},
                batch=1520 if encoder_decoder else 1920,
                steps=80_000,
                weight_decay=0.05,
            ),
        ),
        deviations=(
            "stage 1 is the generative loss: the contrastive and matching losses of section 3.2 are not there",
            "a Q-Former from random weights instead of BERT's; captions of COCO instead of 129 M pictures",
        ),
        published={"vqav2_zero_shot": 52.3, "gqa_zero_shot": 34.6, "okvqa_zero_shot": 31.7},
        nano={"model.connector": {"kind": "q_former", "queries": 24, "hidden": 128, "layers": 3, "heads": 4}},
    )
