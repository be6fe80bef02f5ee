"""CogVLM (Wang et al., "CogVLM: Visual Expert for Pretrained Language Models", arXiv 2311.03079)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def cogvlm(
    vision: str = "openai/clip-vit-large-patch14-336",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "captions:coco/annotations/captions_train2017.json?images=coco/train2017",
    instructions: str = "conversations:llava_v1_5_mix665k.json?images=data",
) -> Recipe:
    """A second copy of every matrix of every layer for visual tokens, which all stand at one position.

    Stage 1 teaches the adapter and the experts on captions (section 2.2: lr 1e-4, batch 8,192); in stage 2, fine-tuning, the
    encoder learns, too, at a tenth of the rate (section 2.3). The language model's own weights stay as they are.
    """
    return Recipe(
        name="cogvlm",
        paper="arXiv 2311.03079",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "resize"},
            connector="glu",
            fusion="visual_experts",
            llm=llm,
            template={
                "kind": "plain",
                "question_text": True,
                "media_first": True,
                "user_prefix": "Question: ",
                "user_suffix": " ",
                "assistant_prefix": "Answer:",
                "answer_prefix": " ",
                "answer_suffix": "{eos}",
            },
            codec={"kind": "integers", "box": "[[{x1},{y1},{x2},{y2}]]", "point": "[[{x},{y}]]", "scale": 1000, "top": 999},
        ),
        stages=(
            Stage(
                name="align", data=captions, train={"connector": 1e-4, "fusion": 1e-4}, template="plain", batch=8192, micro=32
            ),
            Stage(name="tune", data=instructions, train={"vision": 1e-6, "connector": 1e-5, "fusion": 1e-5}, batch=64),
        ),
        deviations=(
            "CLIP-L instead of EVA2-CLIP-E; COCO captions instead of 1.5 G pairs, and no grounding stage on 40 M boxes",
            "the picture stands behind 'Question: '; coordinates are not padded to three digits",
        ),
        published={"mm_vet": 52.8, "refcoco_val": 92.76},
    )
