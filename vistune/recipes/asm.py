"""The All-Seeing Model (Wang et al., "The All-Seeing Project", arXiv 2308.01907)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def asm(
    vision: str = "Salesforce/blip2-opt-2.7b",
    llm: str = "huggyllama/llama-7b",
    regions: str = "regions:as_1b.jsonl?images=images&phrase=caption&task=describe",
    captions: str = "captions:coco/annotations/captions_train2017.json?images=coco/train2017",
) -> Recipe:
    """A Q-Former that reads a region and its picture, and a token whose state is aligned with the region's label (section 4).

    The region's queries stand beside learned ones; both give tokens. Stage 1 teaches on regions to speak and to align, stage 2
    on region and whole-picture captions; LoRA of rank 16 on queries, keys, values and outputs.
    """
    tasks = ("describe_region", "refer_box")
    both = {"kind": "mixture", "sources": [{"data": f"world:?task={task}&size=1200"} for task in tasks]}
    lora = {"kind": "lora", "rank": 16, "alpha": 32, "targets": ["q_proj", "k_proj", "v_proj", "o_proj"], "new_tokens": True}
    return Recipe(
        name="asm",
        paper="arXiv 2308.01907",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
            connector={"kind": "q_former", "queries": 32},
            llm=llm,
            parts={"region": {"kind": "region_q_former"}},
            modalities={"box": ["region"]},
            heads={"align": {"kind": "alignment_token"}},
            adapt={"llm": lora},
        ),
        stages=(
            Stage(name="align", data=regions, train={"region": 1e-4, "heads.align": 1e-4, "llm.adapter": 1e-4}, batch=256),
            Stage(name="tune", data=captions, train={"region": 5e-5, "connector": 5e-5, "llm.adapter": 5e-5}, batch=256),
        ),
        deviations=(
            "the whole picture stands in the prompt through a Q-Former of its own; ASM reads it as a region that covers it",
            "labels to align stand in the answer of each region; no soft prompts, and the align token keeps its position",
            "Llama in the place of Husky; rates and batches are not published for all stages",
        ),
        published={"refcocog_region_caption_cider": 103.0, "vg_region_caption_cider": 145.1},
        nano={
            "model.vision": {"kind": "huggingface", "path": "builtin:clip", "layer": -1, "cls": "keep", "fit": "resize"},
            "model.connector": {"kind": "q_former", "queries": 16, "hidden": 128, "layers": 2, "heads": 4},
            "model.parts.region": {
                "kind": "region_q_former", "queries": 8, "size": 2, "positions": 65, "hidden": 128, "layers": 2, "heads": 4
            },
            "stages.0.data": both,
            "stages.1.data": "world:?task=describe_region&size=1200",
        },
    )  # fmt: skip
