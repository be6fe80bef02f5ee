"""Qwen-VL (Bai et al., "Qwen-VL: A Versatile Vision-Language Model", arXiv 2308.12966)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def qwen_vl(
    vision: str = "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k",
    llm: str = "Qwen/Qwen2.5-7B",
    captions: str = "captions:coco/annotations/captions_train2017.json?images=coco/train2017",
    tasks: str = "conversations:llava_v1_5_mix665k.json?images=data",
    dialogues: str = "conversations:llava_instruct_150k.json?images=coco/train2017",
) -> Recipe:
    """A position-aware resampler to 256 tokens; boxes as thousandths between marks; three stages (section 3).

    Stage 1 teaches encoder and resampler on captions (lr 2e-4, batch 30,720), stage 2 everything on seven tasks at 448 pixels
    (lr 5e-5, batch 4,096), stage 3 resampler and language model on conversations (lr 1e-5, batch 128).
    """
    return Recipe(
        name="qwen_vl",
        paper="arXiv 2308.12966",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "resize", "size": 448},
            connector={"kind": "position_aware_resampler", "queries": 256, "heads": 32},
            llm=llm,
            template="qwen_vl",
            codec={
                "kind": "integers",
                "box": "<box>({x1},{y1}),({x2},{y2})</box>",
                "point": "<box>({x},{y})</box>",
                "scale": 1000,
                "top": 999,
                "phrase": "<ref>{label}</ref>",
            },
        ),
        stages=(
            Stage(
                name="align", data=captions, train={"vision": 2e-4, "connector": 2e-4}, template="plain", batch=30_720, micro=32
            ),
            Stage(name="tasks", data=tasks, train={"vision": 5e-5, "connector": 5e-5, "llm": 5e-5}, batch=4096),
            Stage(name="tune", data=dialogues, train={"connector": 1e-5, "llm": 1e-5}, batch=128),
        ),
        deviations=(
            "stage 1 runs at 448 pixels, not 224: a model's input size is one; the class token is dropped, not left out",
            "Qwen2.5 instead of Qwen 1, public data instead of 1.4 G and 77 M unpublished pairs",
        ),
        published={"vqav2": 78.8, "textvqa": 63.8, "docvqa": 65.1, "refcoco_val": 89.36, "nocaps": 121.4},
        nano={
            "model.vision": {"kind": "huggingface", "path": "builtin:clip", "layer": -1},
            "model.connector": {"kind": "position_aware_resampler", "queries": 36, "heads": 6},
        },
    )
