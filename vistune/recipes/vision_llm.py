"""VisionLLM (Wang et al., "Large Language Model is also an Open-Ended Decoder for Vision-Centric Tasks", arXiv 2305.11175)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def vision_llm(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "huggyllama/llama-7b",
    detection: str = "coco:annotations/instances_train2017.json?images=coco/train2017",
    tasks: str = "mixture:vision_llm.yaml",
) -> Recipe:
    """Objects of a picture by a hundred queries that ask for `<cls> <x1> <y1> <x2> <y2>`, decoded in parallel (section 3.3).

    Stage 1 detects with random sets of classes (section 4.1: lr 2e-4, 50 epochs, 1 picture on each of 32 GPUs), training the
    encoder too; stage 2 freezes it and learns all tasks. LoRA on the language model.
    """
    return Recipe(
        name="vision_llm",
        paper="arXiv 2305.11175",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "resize"},
            connector={"kind": "q_former", "queries": 100},
            llm=llm,
            heads={"set": {"kind": "set_queries", "queries": 100}},
            adapt={"llm": {"kind": "lora", "rank": 64}},
        ),
        stages=(
            Stage(
                name="detect",
                data=detection,
                train={"vision": 2e-4, "connector": 2e-4, "llm.adapter": 2e-4, "heads.set": 2e-4},
                batch=32,
                epochs=50.0,
            ),
            Stage(name="tasks", data=tasks, train={"connector": 2e-4, "llm.adapter": 2e-4, "heads.set": 2e-4}, batch=32),
        ),
        deviations=(
            "no code of VisionLLM is public; a Q-Former stands in the place of the language-guided Deformable DETR",
            "anchors lie on a grid; classes and offsets are layers of the head, not tokens; no polygons",
        ),
        published={"coco_ap_internimage_h": 60.2, "coco_ap_resnet50": 44.6, "refcoco_val_internimage_h": 86.7},
        nano={
            "model.connector": {"kind": "q_former", "queries": 24, "hidden": 128, "layers": 3, "heads": 4},
            "model.heads.set": {"kind": "set_queries", "queries": 16, "bins": 32},
            "stages.0.data": "world:?task=detection&size=2400",
            "stages.1.data": "world:?task=detection&size=1200",
        },
    )
